// Incremental fetch sessions (KIP-227): a consumer names its partitions once and later only what changed; the broker answers
// only for partitions that have something new. A session lives on the worker of the connection that opened it; a consumer that
// reconnects elsewhere gets FETCH_SESSION_ID_NOT_FOUND and opens a new one, as after an eviction.
// Invariant: a session's partitions are in the order in which they are to be served; those that gave bytes move to the end,
// so that a few full partitions do not starve the others under the response's byte limit.
// Pure. Not for follower fetches, which are sessionless here.
import type { Random } from '../base/random.ts';
import { MINUTE_MS } from '../base/units.ts';
import { ERROR } from '../protocol/errors.ts';

/** A session younger than this is not thrown out for a new one (Kafka's min eviction time). */
const EVICTION_AGE_MS = 2 * MINUTE_MS;
const FINAL_EPOCH = -1;
const INITIAL_EPOCH = 0;
const LAST_EPOCH = 2 ** 31 - 1;
/** A consumer that does not say which leader epoch it knows; any negative number says so in a Fetch. */
const NO_EPOCH = -1;

/** One partition of a fetch, with what its consumer was told last. Names are empty where the request named ids, ids where names. */
export interface FetchPartition {
  topic: string;
  topicId: string;
  partition: number;
  fetchOffset: number;
  partitionMaxBytes: number;
  currentLeaderEpoch: number;
  lastFetchedEpoch: number;
  /** −1 until the first answer. */
  knownHighWatermark: number;
  knownLogStartOffset: number;
}

interface AskedPartition {
  readonly partition: number;
  readonly fetchOffset: number;
  readonly partitionMaxBytes: number;
  readonly currentLeaderEpoch: number;
  readonly lastFetchedEpoch: number;
}

/** What a session needs of a request's topics, at any version. */
export interface FetchTopics {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly topicId: string;
    readonly partitions: readonly AskedPartition[];
  }[];
  readonly forgottenTopicsData: readonly { readonly topic: string; readonly topicId: string; readonly partitions: readonly number[] }[];
}

interface Session {
  readonly id: number;
  readonly usesTopicIds: boolean;
  epoch: number;
  lastUsedMs: number;
  readonly partitions: Map<string, FetchPartition>;
}

/** What to serve: `isIncremental` answers leave out partitions with nothing new. */
export interface FetchPlan {
  readonly errorCode: number;
  readonly sessionId: number;
  readonly isIncremental: boolean;
  readonly partitions: FetchPartition[];
}

export class FetchSessions {
  readonly #capacity: number;
  readonly #random: Random;
  /** Least recently used first. */
  readonly #sessions = new Map<number, Session>();

  constructor(capacity: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Reads what a Fetch asks for in the light of its session. Source: KIP-227. */
  open(request: FetchTopics, usesTopicIds: boolean, nowMs: number): FetchPlan {
    if (request.sessionEpoch === FINAL_EPOCH || request.sessionEpoch === INITIAL_EPOCH) {
      if (request.sessionId !== 0) this.#sessions.delete(request.sessionId);
      if (request.sessionEpoch === FINAL_EPOCH && !hasRepeats(request)) {
        const partitions: FetchPartition[] = [];
        for (const { topic, topicId, partitions: asked } of request.topics) {
          for (const each of asked) partitions.push(newPartition(topic, topicId, each));
        }
        return { errorCode: ERROR.NONE, sessionId: 0, isIncremental: false, partitions };
      }
      const partitions = new Map<string, FetchPartition>();
      applyTopics(partitions, request);
      const isFinal = request.sessionEpoch === FINAL_EPOCH;
      const sessionId = isFinal ? 0 : this.#create(partitions, usesTopicIds, nowMs);
      return { errorCode: ERROR.NONE, sessionId, isIncremental: false, partitions: [...partitions.values()] };
    }
    const session = this.#sessions.get(request.sessionId);
    if (session === undefined) return refuse(ERROR.FETCH_SESSION_ID_NOT_FOUND);
    if (session.epoch !== request.sessionEpoch) return refuse(ERROR.INVALID_FETCH_SESSION_EPOCH);
    if (session.usesTopicIds !== usesTopicIds) return refuse(ERROR.FETCH_SESSION_TOPIC_ID_ERROR);
    session.epoch = session.epoch === LAST_EPOCH ? 1 : session.epoch + 1;
    session.lastUsedMs = nowMs;
    this.#sessions.delete(session.id);
    applyTopics(session.partitions, request);
    for (const forgotten of request.forgottenTopicsData) {
      for (const partition of forgotten.partitions) session.partitions.delete(keyOf(forgotten.topic, forgotten.topicId, partition));
    }
    if (session.partitions.size === 0) {
      // The session ends. What this request asked for and forgot at once is still answered.
      const partitions = new Map<string, FetchPartition>();
      applyTopics(partitions, request);
      return { errorCode: ERROR.NONE, sessionId: 0, isIncremental: false, partitions: [...partitions.values()] };
    }
    this.#sessions.set(session.id, session);
    return { errorCode: ERROR.NONE, sessionId: session.id, isIncremental: true, partitions: [...session.partitions.values()] };
  }

  /** Moves partitions that gave bytes to the end of their session's order. */
  served(sessionId: number, partitions: readonly FetchPartition[]): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.partitions.size < 2) return;
    for (const partition of partitions) {
      const key = keyOf(partition.topic, partition.topicId, partition.partition);
      if (session.partitions.get(key) !== partition) continue;
      session.partitions.delete(key);
      session.partitions.set(key, partition);
    }
  }

  /** The id of a new session, or 0 when all slots are taken by sessions that are in use. */
  #create(partitions: Map<string, FetchPartition>, usesTopicIds: boolean, nowMs: number): number {
    if (this.#sessions.size >= this.#capacity) {
      const oldest = this.#sessions.values().next().value;
      if (oldest === undefined || nowMs - oldest.lastUsedMs < EVICTION_AGE_MS) return 0;
      this.#sessions.delete(oldest.id);
    }
    let id: number;
    do id = 1 + this.#random.below(LAST_EPOCH - 1);
    while (this.#sessions.has(id));
    this.#sessions.set(id, { id, usesTopicIds, epoch: 1, lastUsedMs: nowMs, partitions });
    return id;
  }
}

function refuse(errorCode: number): FetchPlan {
  return { errorCode, sessionId: 0, isIncremental: false, partitions: [] };
}

function keyOf(topic: string, topicId: string, partition: number): string {
  return `${topicId}/${topic}/${partition}`;
}

function applyTopics(partitions: Map<string, FetchPartition>, request: FetchTopics): void {
  for (const { topic, topicId, partitions: asked } of request.topics) {
    for (const each of asked) {
      const key = keyOf(topic, topicId, each.partition);
      const known = partitions.get(key);
      if (known === undefined) {
        partitions.set(key, newPartition(topic, topicId, each));
        continue;
      }
      known.fetchOffset = each.fetchOffset;
      known.partitionMaxBytes = each.partitionMaxBytes;
      known.currentLeaderEpoch = Math.max(NO_EPOCH, each.currentLeaderEpoch);
      known.lastFetchedEpoch = each.lastFetchedEpoch;
    }
  }
}

function newPartition(topic: string, topicId: string, asked: AskedPartition): FetchPartition {
  return {
    topic,
    topicId,
    partition: asked.partition,
    fetchOffset: asked.fetchOffset,
    partitionMaxBytes: asked.partitionMaxBytes,
    currentLeaderEpoch: Math.max(NO_EPOCH, asked.currentLeaderEpoch),
    lastFetchedEpoch: asked.lastFetchedEpoch,
    knownHighWatermark: -1,
    knownLogStartOffset: -1,
  };
}

// Used within one call only.
const topicsSeen = new Set<string>();
const partitionsSeen = new Set<number>();

/** Whether a request names a partition, or a topic, more than once. What it is without a session needs no keys otherwise. */
function hasRepeats({ topics }: FetchTopics): boolean {
  if (topics.length > 1) {
    topicsSeen.clear();
    for (const { topic, topicId } of topics) topicsSeen.add(topic === '' ? topicId : topic);
    if (topicsSeen.size < topics.length) return true;
  }
  for (const { partitions } of topics) {
    if (partitions.length < 2) continue;
    partitionsSeen.clear();
    for (const { partition } of partitions) partitionsSeen.add(partition);
    if (partitionsSeen.size < partitions.length) return true;
  }
  return false;
}
