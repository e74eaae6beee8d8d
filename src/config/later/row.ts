// The short form of a row for an option without effect: its type is checked and, where it can be changed on a running broker, its lower bound.
// Pure.
import { boolean, count, list, type Option, type OptionSpec, type OptionType, ratio, string, type UpdateMode } from '../define.ts';

/** name, type, default, how it may change in Kafka, what it is, and `internal` where Kafka hides it, or its lower bound. */
export type LaterRow = readonly [
  name: string,
  type: OptionType,
  defaultText: string | null,
  update: UpdateMode,
  doc: string,
  note?: 'internal' | `>=${number}`,
];

export function laterOption([name, type, defaultText, update, doc, note]: LaterRow): Option<unknown> {
  const spec: OptionSpec<string | null> = {
    default: defaultText,
    update,
    doc,
    noEffectYet: true,
    isInternal: note === 'internal',
    isSensitive: type === 'PASSWORD',
  };
  if (type === 'BOOLEAN') return boolean(name, spec);
  if (type === 'LIST') return list(name, spec);
  if (type === 'DOUBLE') return ratio(name, spec);
  if (type === 'INT' || type === 'SHORT' || type === 'LONG') {
    return count(name, { ...spec, type, ...(note?.startsWith('>=') ? { min: Number(note.slice(2)) } : {}) });
  }
  return string(name, { ...spec, type });
}
