// The messages between a network worker and the workers that own coordinators: where each field lies in the words of a ring record.
//   ASK   one question to one shard, and its reply: the answer, or a ticket for it ("later")
//   TAKE  "what have you for me?", and its reply: answers, or pieces of them, in the order in which they became ready
// An owner that has something for a worker sets that worker's bit of it and signals; the worker takes. So no answer waits in a ring or
// holds a credit, whatever its size and however long it takes.
// Pure.
import { sharedBitsBytes, sharedBitsWords } from '../actors/shared-bits.ts';
import { KIB } from '../base/units.ts';

/** Behind the kinds of src/partition/partition-messages.ts. */
export const COORDINATOR_ASK = 5;
export const COORDINATOR_TAKE = 6;

/**
 * `api`: key * 65536 + version. `arena` -1: the question's bytes follow inline, else they lie at `position` of that arena.
 * `metadataOffset` is a float64: what the sender had applied. `roomBytes`: what the reply has room for, behind its header.
 * The bytes: client id and client host as protocol strings, then the request's body.
 */
export const ask = { slot: 0, api: 1, arena: 2, position: 3, metadataOffset: 4, sizeBytes: 6, roomBytes: 7 } as const;
export const ASK_HEADER_WORDS = 8;
export const INLINE = -1;

/** `value`: the bytes that follow, or the ticket. */
export const askReply = { status: 0, value: 1 } as const;
export const ASK_REPLY_HEADER_WORDS = 2;
export const STATUS = {
  /** The response message follows. */
  ANSWERED: 0,
  /** It will be named by `value` when it is taken. */
  LATER: 1,
  /** The request's body is not what its sender claimed; the reason follows as text. */
  MALFORMED: 2,
} as const;

/** `roomWords`: payload words that the reply may have. */
export const take = { roomWords: 0 } as const;
export const TAKE_WORDS = 2;

/** `hasMore`: there is more to take at once. `usedWords`: the entries, which follow. */
export const takeReply = { hasMore: 0, usedWords: 1 } as const;
export const TAKE_REPLY_HEADER_WORDS = 2;
/** The next `pieceBytes` of the answer `ticket`, which has `sizeBytes` altogether; then the bytes, padded to an even number of words. */
export const takeEntry = { ticket: 0, sizeBytes: 1, pieceBytes: 2 } as const;
export const TAKE_ENTRY_WORDS = 4;

/** A question of more bytes goes by a slab of the asking worker. */
export const INLINE_BYTES_MAX = KIB;
/** What an answer has room for in the reply to its question: by the question's size within these bounds. Others are taken. */
export const ANSWER_ROOM_BYTES_MIN = 128;
export const ANSWER_ROOM_BYTES_MAX = 2 * KIB;
/** Room of a reply to TAKE. */
export const TAKE_BYTES_MAX = 16 * KIB;
/** Questions without an answer that a worker's shards hold; more are refused. A JoinGroup waits for minutes, and its group may be large. */
export const QUESTIONS_OPEN_MAX = 2 ** 17;

/** Words of `bytes` in a ring, even so that what follows is aligned. */
export function bytesAsWords(bytes: number): number {
  return ((bytes + 7) >> 3) << 1;
}

/** Shared bits for all workers: for each the set of workers that have answers for it. */
export function coordinatorRegionBytes(workerCount: number): number {
  return workerCount * sharedBitsBytes(workerCount);
}

/** First word of worker `worker`'s set, behind `firstWord`. */
export function readyBitsWord(firstWord: number, worker: number, workerCount: number): number {
  return firstWord + worker * sharedBitsWords(workerCount);
}
