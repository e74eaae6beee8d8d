// The messages between a network worker and the workers that own partitions: where each field of a request and of its reply
// lies in the words of a ring record. 64-bit fields are float64 (exact below 2^53) on even words.
// Every payload starts with four words: entry count, the sender's metadata offset (low 32 bits), and two that the kind explains;
// then one fixed-size entry per partition, replies in the order of the request.
// Pure.

export const PRODUCE = 1;
export const FETCH_PLAN = 2;
export const LIST_OFFSETS = 3;
export const EPOCH_END = 4;
export const DELETE_RECORDS = 7; // 5 and 6 are the coordinators’ (coordinator-messages.ts).

export const HEADER_WORDS = 4;
export const ENTRY_COUNT = 0;
export const METADATA_OFFSET = 1;
/** Produce: whose arena the positions point into. */
export const ARENA = 2;

/** Words of a request entry and of a reply entry, by kind. */
export const REQUEST_ENTRY_WORDS: Readonly<Record<number, number>> = {
  [PRODUCE]: 4,
  [FETCH_PLAN]: 8,
  [LIST_OFFSETS]: 6,
  [EPOCH_END]: 4,
  [DELETE_RECORDS]: 4,
};
export const REPLY_ENTRY_WORDS: Readonly<Record<number, number>> = {
  [PRODUCE]: 8,
  [FETCH_PLAN]: 20,
  [LIST_OFFSETS]: 6,
  [EPOCH_END]: 4,
  [DELETE_RECORDS]: 4,
};

/** Every request entry starts with the partition's slot, every reply entry with the error code. */
export const SLOT = 0;
export const ERROR_CODE = 0;

export const produceEntry = { position: 1, length: 2 } as const;
/** `refusalBytes`: how much text about an error the owner has left at the batch's position (refusal-text.ts). */
export const produceReply = { refusalBytes: 1, baseOffset: 2, logAppendTimeMs: 4, logStartOffset: 6 } as const;

/** Levels of isolation, as clients name them. The second stops at the last stable offset. */
export const READ_UNCOMMITTED = 0;
export const READ_COMMITTED = 1;

export const fetchEntry = { maxBytes: 1, currentLeaderEpoch: 2, lastFetchedEpoch: 3, fetchOffset: 4, isolation: 6 } as const;
/** `descriptor` −1: no bytes. The first batch is `firstBatchBytes` long and always inside `length`, whatever the limit was. */
export const fetchReply = {
  descriptor: 1,
  length: 2,
  stateVersion: 3,
  position: 4,
  highWatermark: 6,
  lastStableOffset: 8,
  logStartOffset: 10,
  divergingEpoch: 12,
  firstBatchBytes: 13,
  divergingEndOffset: 14,
  segmentBaseOffset: 16,
  /** Planned by a lease of the reader, not by the owner. */
  isLeased: 18,
  /** Aborted transactions may lie behind the offset that was asked for: their list stands in the partition's files. */
  hasAborted: 19,
} as const;

/** The timestamp may be one of Kafka's negative specifiers (−1 latest … −6). */
export const listOffsetsEntry = { currentLeaderEpoch: 1, timestamp: 2, isolation: 4 } as const;
export const listOffsetsReply = { leaderEpoch: 1, timestamp: 2, offset: 4 } as const;

export const epochEndEntry = { currentLeaderEpoch: 1, leaderEpoch: 2 } as const;
export const epochEndReply = { leaderEpoch: 1, endOffset: 2 } as const;

/** Offset −1 is the high watermark. */
export const deleteRecordsEntry = { offset: 2 } as const;
export const deleteRecordsReply = { lowWatermark: 2 } as const;
