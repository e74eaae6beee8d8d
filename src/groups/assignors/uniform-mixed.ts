// `uniform` where members subscribe to different topics. Partitions stay with their owner; those without one go to the least loaded
// subscriber, and then topic after topic moves partitions from its most loaded subscribers to its least loaded ones, until no single
// move makes two members more alike. There may be a better balance that takes a chain of moves; it is not looked for.
// Pure. Source: KIP-848, "uniform".
import { type Assignment, tidied } from '../assignment.ts';
import type { AssignmentTask } from './assignor.ts';

/** A bound on the rounds over all topics: in practice two or three do. */
const ROUND_COUNT_MAX = 16;
const NOBODY = -1;

interface Topic {
  readonly topicId: string;
  /** Indexes of members, ascending. */
  readonly subscribers: readonly number[];
  /** Index of each partition's owner, or NOBODY. */
  readonly owners: Int32Array;
}

export function assignMixed(task: AssignmentTask): Map<string, Assignment> {
  const topics = topicsOf(task);
  const loads = new Int32Array(task.members.length);
  for (const { owners } of topics) for (const owner of owners) if (owner !== NOBODY) loads[owner] = (loads[owner] as number) + 1;
  for (const topic of topics) assignFree(topic, loads);
  balance(
    topics.filter(({ subscribers }) => subscribers.length > 1),
    loads,
  );
  return assignmentsOf(task, topics);
}

/** Those with the most partitions for each subscriber first: they decide about the loads, the small ones even them out. */
function topicsOf(task: AssignmentTask): Topic[] {
  const subscribers = new Map<string, number[]>();
  for (const [index, { topicIds }] of task.members.entries()) {
    for (const topicId of topicIds) {
      const known = subscribers.get(topicId);
      if (known === undefined) subscribers.set(topicId, [index]);
      else known.push(index);
    }
  }
  const owners = new Map<string, Int32Array>();
  for (const topicId of subscribers.keys()) owners.set(topicId, new Int32Array(task.partitionCount(topicId)).fill(NOBODY));
  for (const [index, { topicIds, target }] of task.members.entries()) {
    const subscribed = new Set(topicIds);
    for (const [topicId, partitions] of target) {
      const ofTopic = subscribed.has(topicId) ? owners.get(topicId) : undefined;
      if (ofTopic !== undefined) for (const partition of partitions) if (partition < ofTopic.length) ofTopic[partition] = index;
    }
  }
  const topics = [...subscribers].map(([topicId, indexes]) => ({
    topicId,
    subscribers: indexes,
    owners: owners.get(topicId) as Int32Array,
  }));
  return topics.sort(
    (a, b) =>
      b.owners.length / b.subscribers.length - a.owners.length / a.subscribers.length ||
      a.subscribers.length - b.subscribers.length ||
      (a.topicId < b.topicId ? -1 : 1),
  );
}

function assignFree({ subscribers, owners }: Topic, loads: Int32Array): void {
  if (!owners.includes(NOBODY)) return;
  const least = new Heap(subscribers, (a, b) => (loads[a] as number) - (loads[b] as number) || a - b);
  for (let partition = 0; partition < owners.length; partition++) {
    if (owners[partition] !== NOBODY) continue;
    const member = least.top;
    owners[partition] = member;
    loads[member] = (loads[member] as number) + 1;
    least.topChanged();
  }
}

function balance(topics: readonly Topic[], loads: Int32Array): void {
  // Topics looked at since the last move: when all have been, none has a move left.
  let idleCount = 0;
  for (let round = 0; round < ROUND_COUNT_MAX; round++) {
    for (const topic of topics) {
      idleCount = balanceTopic(topic, loads) ? 1 : idleCount + 1;
      if (idleCount > topics.length) return;
    }
  }
}

/** Whether a partition was moved. */
function balanceTopic({ subscribers, owners }: Topic, loads: Int32Array): boolean {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  for (const member of subscribers) {
    lowest = Math.min(lowest, loads[member] as number);
    highest = Math.max(highest, loads[member] as number);
  }
  if (highest - lowest <= 1) return false;
  const owned = new Map<number, number[]>();
  for (let partition = 0; partition < owners.length; partition++) {
    const owner = owners[partition] as number;
    const known = owned.get(owner);
    if (known === undefined) owned.set(owner, [partition]);
    else known.push(partition);
  }
  const least = new Heap(subscribers, (a, b) => (loads[a] as number) - (loads[b] as number) || a - b);
  const most = new Heap([...owned.keys()], (a, b) => (loads[b] as number) - (loads[a] as number) || b - a);
  let hasMoved = false;
  // Each partition is moved at most once: who gains here is not asked to give.
  while (most.size > 0) {
    const from = most.top;
    const to = least.top;
    const partition = (loads[from] as number) - (loads[to] as number) > 1 ? owned.get(from)?.pop() : undefined;
    if (partition === undefined) {
      // Without one to give; or the most loaded and the least loaded differ by no more than one, and then no others do.
      if ((owned.get(from)?.length ?? 0) > 0) break;
      most.removeTop();
      continue;
    }
    owners[partition] = to;
    loads[from] = (loads[from] as number) - 1;
    loads[to] = (loads[to] as number) + 1;
    hasMoved = true;
    most.topChanged();
    least.topChanged();
  }
  return hasMoved;
}

function assignmentsOf(task: AssignmentTask, topics: readonly Topic[]): Map<string, Assignment> {
  const made = task.members.map(() => new Map<string, number[]>());
  for (const { topicId, owners } of topics) {
    for (let partition = 0; partition < owners.length; partition++) {
      const assignment = made[owners[partition] as number] as Map<string, number[]>;
      const partitions = assignment.get(topicId);
      if (partitions === undefined) assignment.set(topicId, [partition]);
      else partitions.push(partition);
    }
  }
  return new Map(task.members.map(({ memberId }, index) => [memberId, tidied(made[index] as Map<string, number[]>)]));
}

/** A binary heap of member indexes whose order changes only at its top and for members that only sink in it. */
class Heap {
  readonly #members: number[];
  readonly #compare: (a: number, b: number) => number;

  constructor(members: readonly number[], compare: (a: number, b: number) => number) {
    this.#members = [...members].sort(compare);
    this.#compare = compare;
  }

  get size(): number {
    return this.#members.length;
  }

  get top(): number {
    return this.#members[0] as number;
  }

  removeTop(): void {
    const last = this.#members.pop() as number;
    if (this.#members.length === 0) return;
    this.#members[0] = last;
    this.topChanged();
  }

  topChanged(): void {
    const members = this.#members;
    const moving = members[0] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= members.length) break;
      if (child + 1 < members.length && this.#compare(members[child + 1] as number, members[child] as number) < 0) child++;
      if (this.#compare(members[child] as number, moving) >= 0) break;
      members[at] = members[child] as number;
      at = child;
    }
    members[at] = moving;
  }
}
