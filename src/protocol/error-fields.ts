// Finds the error codes in a response message, wherever its table has them: for counters by API and error.
// Pure. Costs what it takes to visit the structs that can hold one; what a response carries besides is not looked at.
import type { Fields, Table } from './schema.ts';

/** Hears each error code of a message that is not NONE, as often as it occurs. */
export interface ErrorSink {
  noteError(errorCode: number): void;
}

type Message = Readonly<Record<string, unknown>>;

/** Where a struct has error codes: its own, and those of the structs in it. */
interface Places {
  readonly hasCode: boolean;
  readonly structs: readonly { readonly name: string; readonly isArray: boolean; readonly places: Places }[];
}

const found = new WeakMap<Table, Places>();

export function noteErrors(table: Table, message: unknown, sink: ErrorSink): void {
  let places = found.get(table);
  if (places === undefined) {
    places = placesIn(table.fields);
    found.set(table, places);
  }
  visit(places, message as Message, sink);
}

function placesIn(fields: Fields): Places {
  const structs: Places['structs'][number][] = [];
  for (const [name, field] of Object.entries(fields)) {
    if (field.fields === undefined) continue;
    const places = placesIn(field.fields);
    if (places.hasCode || places.structs.length > 0) structs.push({ name, isArray: field.kind === 'array', places });
  }
  return { hasCode: 'errorCode' in fields, structs };
}

function visit(places: Places, message: Message, sink: ErrorSink): void {
  if (places.hasCode) {
    const { errorCode } = message;
    if (typeof errorCode === 'number' && errorCode !== 0) sink.noteError(errorCode);
  }
  for (const { name, isArray, places: inner } of places.structs) {
    const value = message[name];
    if (value === null || value === undefined) continue; // Nullable, and what a builder of answers may leave out.
    if (!isArray) visit(inner, value as Message, sink);
    else for (const each of value as readonly Message[]) visit(inner, each, sink);
  }
}
