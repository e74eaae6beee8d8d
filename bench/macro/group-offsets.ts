// What a commit costs the broker, and how long the offsets topic takes to load. Commits belong to no member, as an administrator's do.
import { setTimeout as sleep } from 'node:timers/promises';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { describeGroupsRequest, describeGroupsResponse } from '../../src/protocol/apis/describe-groups.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../../src/protocol/apis/offset-commit.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../../src/protocol/apis/offset-fetch.ts';
import { ERROR, errorName } from '../../src/protocol/errors.ts';
import type { MessageOf } from '../../src/protocol/schema.ts';
import { cpuSeconds, type Subject } from './subjects.ts';
import { decodeFrame, frameOf, Wire } from './wire.ts';

export interface Figure {
  readonly row: string;
  readonly unit: string;
  /** Smaller is better. */
  readonly value: number;
}

const COMMIT_VERSION = 9;
const FETCH_VERSION = 8;
const DESCRIBE_VERSION = 5;
const COMMITTERS = 20;
const COMMITS = 20_000;
const COMMIT_ATTEMPTS_MAX = 1000;
const LOAD_GROUPS = 10_000;
/** 10,000 groups with 10 partitions each, committed 10 times: 1,000,000 records. */
const LOAD_PARTITIONS = 10;
const LOAD_ROUNDS = 10;
/** What does not answer by then is not going to. */
const START_LIMIT_MS = 120_000;
const NOBODY = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1 };
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

/** Its id, once all its partitions are led. */
export async function createTopic(subject: Subject, name: string, numPartitions: number): Promise<string> {
  const wire = await Wire.connect(subject.port);
  const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] };
  await wire.ask(createTopicsRequest, createTopicsResponse, 7, { topics: [topic], timeoutMs: 30_000, validateOnly: false });
  for (;;) {
    const { topics } = await wire.ask(metadataRequest, metadataResponse, 12, {
      topics: [{ name, topicId: NO_ID }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    const [found] = topics;
    if (found?.errorCode === ERROR.NONE && found.partitions.every(({ leaderId }) => leaderId >= 0)) {
      wire.close();
      return found.topicId;
    }
    await sleep(50);
  }
}

/** Until the group has a coordinator that is there. */
export async function untilCoordinated(wire: Wire, groupIds: readonly string[]): Promise<void> {
  const asked = { key: '', keyType: 0, coordinatorKeys: [...groupIds] };
  for (;;) {
    const { coordinators } = await wire.ask(findCoordinatorRequest, findCoordinatorResponse, 4, asked);
    if (coordinators.every(({ errorCode }) => errorCode === ERROR.NONE)) return;
    await sleep(20);
  }
}

function commitFrame(groupId: string, partitions: number, offset: number): Buffer {
  const list = Array.from({ length: partitions }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: offset,
    committedLeaderEpoch: -1,
    committedMetadata: '',
  }));
  return frameOf(offsetCommitRequest, COMMIT_VERSION, {
    groupId,
    ...NOBODY,
    topics: [{ name: 'bench', topicId: NO_ID, partitions: list }],
  });
}

/** 20 groups on connections of their own, each commit after the answer to the one before. */
export async function commitCost(subject: Subject, partitions: number, scale: number): Promise<Figure> {
  const perGroup = Math.round((COMMITS / COMMITTERS) * scale);
  const wires = await Promise.all(Array.from({ length: COMMITTERS }, () => Wire.connect(subject.port)));
  const groupIds = wires.map((_, index) => `committer-${index}`);
  await untilCoordinated(wires[0] as Wire, groupIds);
  const frames = groupIds.map((groupId) => commitFrame(groupId, partitions, 1234));
  for (const [index, wire] of wires.entries()) await committed(subject, wire, frames[index] as Buffer);
  const answers: Buffer[] = [];
  const before = cpuSeconds(subject.pid());
  await Promise.all(
    wires.map(async (wire, index) => {
      // Read apart from the measurement: what reading an answer costs is the client's.
      for (let i = 0; i < perGroup; i++) answers.push(await wire.exchange(frames[index] as Buffer));
    }),
  );
  const cpu = cpuSeconds(subject.pid()) - before;
  for (const frame of answers) {
    const errors = commitErrors(frame);
    if (errors.length > 0) throw new Error(`${subject.name} refused a commit that was measured: ${errors.join(', ')}`);
  }
  for (const [index, wire] of wires.entries()) await committed(subject, wire, frames[index] as Buffer);
  for (const wire of wires) wire.close();
  return { row: `OffsetCommit of ${partitions}, 20 groups, depth 1`, unit: 'CPU-µs', value: (cpu / (perGroup * COMMITTERS)) * 1e6 };
}

/** Commits until it is taken: a coordinator may still be loaded. */
async function committed(subject: Subject, wire: Wire, frame: Buffer): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const errors = commitErrors(await wire.exchange(frame));
    if (errors.length === 0) return;
    if (attempt === COMMIT_ATTEMPTS_MAX) throw new Error(`${subject.name} does not take a commit: ${errors.join(', ')}`);
    await sleep(20);
  }
}

/** What is wrong with an answer to a commit: names of errors, each once; none where every partition was taken. */
function commitErrors(frame: Buffer): readonly string[] {
  const { topics } = decodeFrame(offsetCommitResponse, COMMIT_VERSION, frame);
  const codes = topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
  if (codes.length === 0) return ['an answer without partitions'];
  return [...new Set(codes.filter((code) => code !== ERROR.NONE))].map(errorName);
}

const loadGroup = (index: number): string => `loaded-${index}`;

/** Starts a broker that was killed, on the million commits that it holds, times until all groups are answered, and kills it again. */
export async function loadTime(subject: Subject, scale: number): Promise<readonly Figure[]> {
  const startedAt = performance.now();
  subject.launch();
  const wire = await firstConnection(subject);
  const upMs = performance.now() - startedAt;
  await answersAll(wire, Math.round(LOAD_GROUPS * scale), subject);
  const totalMs = performance.now() - startedAt;
  const cpuS = cpuSeconds(subject.pid());
  wire.close();
  await subject.stop('SIGKILL');
  return [
    { row: 'start after kill -9 until all groups answer', unit: 'ms', value: totalMs },
    { row: 'of that, from the first connection on', unit: 'ms', value: totalMs - upMs },
    { row: 'CPU until then', unit: 'CPU-s', value: cpuS },
  ];
}

/** Writes the million commits, each when the one before it in its lane was taken. */
export async function fillOffsets(subject: Subject, scale: number): Promise<void> {
  const count = Math.round(LOAD_GROUPS * scale);
  const wires = await Promise.all(Array.from({ length: COMMITTERS }, () => Wire.connect(subject.port)));
  await untilCoordinated(wires[0] as Wire, [loadGroup(0)]);
  await Promise.all(
    wires.map(async (wire, lane) => {
      for (let round = 0; round < LOAD_ROUNDS; round++) {
        for (let index = lane; index < count; index += COMMITTERS) {
          const frame = commitFrame(loadGroup(index), LOAD_PARTITIONS, round + 1);
          await committed(subject, wire, frame);
        }
      }
    }),
  );
  await answersAll(wires[0] as Wire, count, subject);
  for (const wire of wires) wire.close();
}

async function firstConnection(subject: Subject): Promise<Wire> {
  const startedAt = performance.now();
  for (;;) {
    try {
      return await Wire.connect(subject.port);
    } catch (cause) {
      if (performance.now() - startedAt > START_LIMIT_MS) throw new Error(`${subject.name} cannot be connected to`, { cause });
      await sleep(5);
    }
  }
}

/** Until each group gave its last commit, of all its partitions, and DescribeGroups knows each. */
async function answersAll(wire: Wire, count: number, subject: Subject): Promise<void> {
  const groupIds = Array.from({ length: count }, (_, index) => loadGroup(index));
  const startedAt = performance.now();
  await untilCoordinated(wire, groupIds);
  // A group that has answered is not asked again: a broker that loads is to load, not to answer.
  for (let left = groupIds; left.length > 0; ) {
    const groups = left.map((groupId) => ({ groupId, memberId: null, memberEpoch: -1, topics: null }));
    const asked = { groupId: '', topics: [], groups, requireStable: false };
    const answer = await wire.ask(offsetFetchRequest, offsetFetchResponse, FETCH_VERSION, asked);
    if (answer.groups.length !== left.length)
      throw new Error(`${subject.name} answered for ${answer.groups.length} of ${left.length} groups`);
    for (const group of answer.groups) if (group.errorCode === ERROR.NONE) checkOffsets(group, subject);
    const refused = answer.groups.filter(({ errorCode }) => errorCode !== ERROR.NONE);
    left = refused.map(({ groupId }) => groupId);
    if (refused[0] === undefined) break;
    if (performance.now() - startedAt > START_LIMIT_MS) {
      throw new Error(`${subject.name} does not answer for ${left.length} groups: ${errorName(refused[0].errorCode)}`);
    }
    await sleep(10);
  }
  const described = await wire.ask(describeGroupsRequest, describeGroupsResponse, DESCRIBE_VERSION, {
    groups: groupIds,
    includeAuthorizedOperations: false,
  });
  const unknown = described.groups.filter(({ errorCode }) => errorCode !== ERROR.NONE).length;
  if (described.groups.length !== count || unknown > 0) {
    throw new Error(`${subject.name} describes ${described.groups.length - unknown} of ${count} groups`);
  }
}

type FetchedGroup = MessageOf<typeof offsetFetchResponse>['groups'][number];

/** Exactly what was committed last: one topic, each of its partitions once. */
function checkOffsets({ groupId, topics }: FetchedGroup, subject: Subject): void {
  const [topic] = topics;
  const partitions = topics.length === 1 && topic?.name === 'bench' ? topic.partitions : [];
  const right = partitions.filter(({ committedOffset, errorCode }) => errorCode === ERROR.NONE && committedOffset === LOAD_ROUNDS);
  const seen = new Set(right.map(({ partitionIndex }) => partitionIndex));
  if (seen.size === LOAD_PARTITIONS && partitions.length === LOAD_PARTITIONS) return;
  throw new Error(
    `${subject.name} has ${seen.size} right offsets of ${LOAD_PARTITIONS} of ${groupId}, and no error: ${JSON.stringify(topics)}`,
  );
}
