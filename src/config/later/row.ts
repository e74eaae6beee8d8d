// The short form of a row for an option without effect: only its type is checked.
// Pure.
import { boolean, count, list, type Option, type OptionSpec, type OptionType, ratio, string, type UpdateMode } from '../define.ts';

/** name, type, default, how it may change in Kafka, what it is, and `internal` where Kafka hides it. */
export type LaterRow = readonly [
  name: string,
  type: OptionType,
  defaultText: string | null,
  update: UpdateMode,
  doc: string,
  visibility?: 'internal',
];

export function laterOption([name, type, defaultText, update, doc, visibility]: LaterRow): Option<unknown> {
  const spec: OptionSpec<string | null> = {
    default: defaultText,
    update,
    doc,
    noEffectYet: true,
    isInternal: visibility === 'internal',
    isSensitive: type === 'PASSWORD',
  };
  if (type === 'BOOLEAN') return boolean(name, spec);
  if (type === 'LIST') return list(name, spec);
  if (type === 'DOUBLE') return ratio(name, spec);
  if (type === 'INT' || type === 'SHORT' || type === 'LONG') return count(name, { ...spec, type });
  return string(name, { ...spec, type });
}
