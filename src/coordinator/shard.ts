// A coordinator, seen from its runtime: one shard for each partition of an internal topic, which decides on requests and replays
// its own records.
// Invariant: what must outlive the shard changes in `replay` alone. A shard may also hold what dies with it (who has joined the round
// that is under way, timers, questions that wait): a shard that is dropped is built anew from its records, and its clients ask again.
// Pure (types, and what a record costs). Not here: who appends, who answers (shard-actor.ts).
import type { Random } from '../base/random.ts';
import type { RecordFormat } from '../protocol/records/batch-builder.ts';
import { VARINT_MAX_BYTES, VARLONG_MAX_BYTES } from '../protocol/records/varint.ts';

/** What a record takes in a batch beside its key and value, at most: lengths, attributes, deltas and the count of headers. */
export const RECORD_OVERHEAD_BYTES = 1 + 5 * VARINT_MAX_BYTES + VARLONG_MAX_BYTES;

/** A request that waits for its answer: given back with the answer, once. */
export interface Question {
  /** Of the runtime: names the question until it is answered. */
  readonly token: number;
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Empty where the client gave none. */
  readonly clientId: string;
  /** The peer's address as Kafka prints it: "/127.0.0.1". */
  readonly clientHost: string;
  /** The decoded request message of `apiKey`. */
  readonly body: unknown;
}

export interface Answer {
  readonly token: number;
  /** The response message of the question's API. */
  readonly body: unknown;
}

/**
 * What follows from an event. The records are appended and replayed at once, in order, before the shard hears anything else; the answers
 * leave when they (or, without records, all that was appended before) are committed. Answers may be to questions of earlier events.
 * The records are one batch, so that a broker that dies leaves all of them or none. Only those that mean something each for itself, so that
 * every beginning of them is a state that asking again completes, may be divided among several.
 */
export interface Decision<Record> {
  readonly records: readonly Record[];
  readonly answers: readonly Answer[];
  readonly isDivisible?: boolean;
}

/** Named timers of a shard: setting one again moves it, and a shard that is dropped loses them all. */
export interface Timers {
  /** `onTimer(key)` is called at least `delayMs` from now. */
  set(key: string, delayMs: number): void;
  cancel(key: string): void;
}

/** The topics there are, as the worker's metadata image knows them. */
export interface TopicsView {
  /** Null: there is no such topic. */
  byName(name: string): TopicView | null;
  byId(topicId: string): TopicView | null;
  names(): Iterable<string>;
  /** Rises with every change of topics or their partition counts. */
  readonly version: number;
}

export interface TopicView {
  readonly name: string;
  readonly topicId: string;
  readonly partitionCount: number;
  /** Racks of the replicas' brokers, by partition; null where brokers have none. */
  readonly racks: readonly (readonly string[])[] | null;
}

/** What a shard is given by its runtime. */
export interface ShardEnvironment {
  /** Number of the internal topic's partition. */
  readonly partition: number;
  /** Wall clock: what is written into records. */
  wallMs(): number;
  readonly random: Random;
  readonly timers: Timers;
  readonly topics: TopicsView;
  /** Largest key and value that one record may have together: a shard decides on none that is larger. */
  readonly recordBytesMax: number;
  /** What the records of a decision that is not divisible may have together, each with RECORD_OVERHEAD_BYTES. */
  readonly decisionBytesMax: number;
}

export interface CoordinatorShard<Record> {
  /** Applies a record: on loading those of the log, later its own. Never throws for what an older or newer broker may have written. */
  replay(record: Record): void;
  /** All records are replayed: sets timers anew and mends what a restart leaves undone. */
  onLoaded(): Decision<Record>;
  ask(question: Question): Decision<Record>;
  onTimer(key: string): Decision<Record>;
  /** Topics were made, changed or deleted. `deletedTopics` holds the names of those that went. */
  onTopicsChanged(deletedTopics: readonly { readonly name: string; readonly topicId: string }[]): Decision<Record>;
  /** What the shard has, one entry each, for the gauges: of groups the protocol and the state. Nothing where it has nothing to tell. */
  census?(): Iterable<{ readonly protocol: string; readonly state: string }>;
  /** Tokens of the questions that wait for an event to come: answered by the runtime when the shard is dropped. */
  waiting(): Iterable<number>;
}

/** How records become bytes of the internal topic, and come back from them. */
export interface RecordCodec<Record> extends RecordFormat<Record> {
  /** Null: a kind of record that this broker does not know, and leaves alone. Throws DecodeError. */
  decode(key: Uint8Array, value: Uint8Array | null): Record | null;
}

const NOTHING: Decision<never> = { records: [], answers: [] };

/** The decision that nothing follows. */
export function nothing(): Decision<never> {
  return NOTHING;
}
