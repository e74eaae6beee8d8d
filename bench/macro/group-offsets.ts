// What a commit costs the broker, and how long the offsets topic takes to load. Commits belong to no member, as an administrator's do.
import { setTimeout as sleep } from 'node:timers/promises';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/apis/create-topics.ts';
import { describeGroupsRequest, describeGroupsResponse } from '../../src/protocol/apis/describe-groups.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { metadataRequest, metadataResponse } from '../../src/protocol/apis/metadata.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../../src/protocol/apis/offset-commit.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../../src/protocol/apis/offset-fetch.ts';
import { ERROR, errorName } from '../../src/protocol/errors.ts';
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

/** 'fill' writes the million commits; 'measure' kills the broker and times its next start until all groups are answered. */
export async function loadTime(subject: Subject, scale: number, what: 'fill' | 'measure'): Promise<readonly Figure[]> {
  const count = Math.round(LOAD_GROUPS * scale);
  if (what === 'fill') {
    await fill(subject, count);
    return [];
  }
  await subject.stop('SIGKILL');
  const startedAt = performance.now();
  subject.launch();
  const wire = await firstConnection(subject.port);
  const upMs = performance.now() - startedAt;
  await answersAll(wire, count, subject);
  const totalMs = performance.now() - startedAt;
  const cpuS = cpuSeconds(subject.pid());
  wire.close();
  return [
    { row: 'start after kill -9 until all groups answer', unit: 'ms', value: totalMs },
    { row: 'of that, from the first connection on', unit: 'ms', value: totalMs - upMs },
    { row: 'CPU until then', unit: 'CPU-s', value: cpuS },
  ];
}

async function fill(subject: Subject, count: number): Promise<void> {
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

async function firstConnection(port: number): Promise<Wire> {
  for (;;) {
    try {
      return await Wire.connect(port);
    } catch {
      await sleep(5);
    }
  }
}

/** Until OffsetFetch gives the last commit of every group, and DescribeGroups knows each. */
async function answersAll(wire: Wire, count: number, subject: Subject): Promise<void> {
  const groupIds = Array.from({ length: count }, (_, index) => loadGroup(index));
  const groups = groupIds.map((groupId) => ({ groupId, memberId: null, memberEpoch: -1, topics: null }));
  const asked = { groupId: '', topics: [], groups, requireStable: false };
  await untilCoordinated(wire, groupIds);
  for (;;) {
    const answer = await wire.ask(offsetFetchRequest, offsetFetchResponse, FETCH_VERSION, asked);
    if (answer.groups.every(({ errorCode }) => errorCode === ERROR.NONE)) {
      const offsets = answer.groups.flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions));
      const wrong = offsets.filter(({ committedOffset }) => committedOffset !== LOAD_ROUNDS).length;
      const missing = answer.groups.filter(({ topics }) => topics.length === 0).map(({ groupId }) => groupId);
      if (offsets.length !== count * LOAD_PARTITIONS || wrong > 0) {
        throw new Error(
          `${subject.name} gave ${offsets.length} of ${count * LOAD_PARTITIONS} offsets, ${wrong} of them wrong; none of ${missing.length} groups (${missing[0]}), and no error`,
        );
      }
      break;
    }
    await sleep(10);
  }
  const described = await wire.ask(describeGroupsRequest, describeGroupsResponse, DESCRIBE_VERSION, {
    groups: groupIds,
    includeAuthorizedOperations: false,
  });
  const unknown = described.groups.filter(({ errorCode }) => errorCode !== ERROR.NONE).length;
  if (unknown > 0) throw new Error(`${subject.name} does not describe ${unknown} groups`);
}
