// Partitions that members of consumer groups have or are to have, by topic id.
// Invariants: a topic without partitions does not stand in a map; partitions ascend.
// Pure.

export type Assignment = ReadonlyMap<string, readonly number[]>;

/** Each partition with the epoch at which its member got it (KIP-1251). */
export type PartitionEpochs = ReadonlyMap<string, ReadonlyMap<number, number>>;

export interface TopicPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export const NO_ASSIGNMENT: Assignment = new Map();
export const NO_PARTITIONS: PartitionEpochs = new Map();

const ascending = (a: number, b: number): number => a - b;

/** In place. Topics that have lost all partitions go. */
export function tidied(assignment: Map<string, number[]>): Assignment {
  for (const [topicId, partitions] of assignment) {
    if (partitions.length === 0) assignment.delete(topicId);
    else if (!isAscending(partitions)) partitions.sort(ascending);
  }
  return assignment;
}

export function isSameAssignment(a: Assignment, b: Assignment): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId);
    if (others === undefined || others.length !== partitions.length) return false;
    for (let i = 0; i < partitions.length; i++) if (partitions[i] !== others[i]) return false;
  }
  return true;
}

export function isSamePartitions(a: PartitionEpochs, b: PartitionEpochs): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [topicId, epochs] of a) {
    const others = b.get(topicId);
    if (others === undefined || others.size !== epochs.size) return false;
    for (const [partition, epoch] of epochs) if (others.get(partition) !== epoch) return false;
  }
  return true;
}

/** As the messages and records list them. */
export function listed(assignment: Assignment): { topicId: string; partitions: number[] }[] {
  return [...assignment].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }));
}

export function partitionsOf(epochs: ReadonlyMap<number, number>): number[] {
  return [...epochs.keys()].sort(ascending);
}

/** Of what a record lists; a partition that is listed twice counts once. */
export function assignmentOf(topics: readonly TopicPartitions[]): Assignment {
  const assignment = new Map<string, readonly number[]>();
  for (const { topicId, partitions } of topics) {
    const known = assignment.get(topicId);
    const all = known === undefined ? partitions : [...known, ...partitions];
    if (all.length > 0) assignment.set(topicId, isAscending(all) ? all : [...new Set(all)].sort(ascending));
  }
  return assignment;
}

function isAscending(partitions: readonly number[]): boolean {
  for (let i = 1; i < partitions.length; i++) if ((partitions[i - 1] as number) >= (partitions[i] as number)) return false;
  return true;
}

/** All partitions at one epoch. */
export function atEpoch(assignment: Assignment, epoch: number): PartitionEpochs {
  return new Map([...assignment].map(([topicId, partitions]) => [topicId, new Map(partitions.map((partition) => [partition, epoch]))]));
}
