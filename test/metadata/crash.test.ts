// The disk stops at each of the operations of a life: format, start, make and remove topics, hand out producer ids, snapshot.
// Whatever is left, the next start finds each operation done or not begun, and nothing that was answered is missing.
import { describe, expect, test } from 'vitest';
import { allocateProducerIds } from '../../src/metadata/producer-ids.ts';
import { createTopics, deleteTopics } from '../../src/metadata/topics.ts';
import { format, LOG_DIRECTORY, NODE_ID, settled, TestNode } from './cluster.ts';
import { CrashStorage, type Loss } from './crash-storage.ts';

const META = `${LOG_DIRECTORY}/meta.properties`;
/** Small, so that one life has several snapshots. */
const SNAPSHOT_BYTES = 1500;

/** What a client was told. */
interface Told {
  readonly made: Map<string, string>;
  readonly removed: Set<string>;
  nextProducerId: number;
  epoch: number;
}

async function live(storage: CrashStorage, told: Told, cycles: number): Promise<void> {
  if (storage.readText(META) === null) {
    format(storage);
    storage.replaceText(META, 'version=1\n');
  }
  const node = new TestNode({ storage, workerCount: 1, seed: 7, segmentBytes: 1200, quorum: { snapshotBytes: SNAPSHOT_BYTES } });
  await node.start();
  told.epoch = Math.max(told.epoch, node.quorum.epoch);
  for (let i = 0; i < cycles; i++) {
    const name = `t${i}`;
    const topics = [
      { name, numPartitions: 3, replicationFactor: 1, assignments: [], configs: [{ name: 'retention.ms', value: '5' }] },
      { name: `${name}-twin`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
    ];
    for (const topic of await node.submit((image, env) => createTopics(image, { topics, validateOnly: false }, env))) {
      if (topic.errorCode === 0) told.made.set(topic.name, topic.topicId);
    }
    const block = await node.submit((image) => allocateProducerIds(image, NODE_ID, node.brokerEpoch));
    told.nextProducerId = block.firstProducerId + block.count;
    const gone = await node.submit((image) => deleteTopics(image, { topicNames: [`${name}-twin`], topics: [] }));
    if (gone[0]?.errorCode === 0) told.removed.add(`${name}-twin`);
  }
}

/** Lives until the disk stops; true where it never did. */
async function liveUntilCrash(storage: CrashStorage, told: Told, cycles: number): Promise<boolean> {
  let isOver = false;
  const life = live(storage, told, cycles).then(
    () => true,
    () => false,
  );
  life.then(() => {
    isOver = true;
  });
  // A crash inside of a sync leaves nobody to answer: the life just stops.
  for (let quiet = 0, seen = -1; !isOver && quiet < 4; ) {
    await settled();
    quiet = storage.operations === seen ? quiet + 1 : 0;
    seen = storage.operations;
  }
  return isOver && (await life);
}

async function check(storage: CrashStorage, told: Told): Promise<void> {
  if (storage.readText(META) === null) {
    format(storage);
    storage.replaceText(META, 'version=1\n');
  }
  const node = await new TestNode({ storage, workerCount: 1, seed: 8, quorum: { snapshotBytes: SNAPSHOT_BYTES } }).start();
  const image = node.workers[0]?.image;
  expect(node.quorum.epoch).toBeGreaterThan(told.epoch);
  expect(image?.features.size).toBe(6);
  for (const [name, id] of told.made) {
    if (name.endsWith('-twin')) continue;
    expect(image?.topicByName(name)?.id, name).toBe(id);
  }
  for (const name of told.removed) expect(image?.topicByName(name), name).toBeNull();
  expect(image?.nextProducerId).toBeGreaterThanOrEqual(told.nextProducerId);
  expect((image?.nextProducerId ?? 1) % 1000).toBe(0);
  for (const topic of image?.topics ?? []) {
    expect(topic.partitions, topic.name).toHaveLength(topic.name.endsWith('-twin') ? 1 : 3);
    if (!topic.name.endsWith('-twin')) expect(image?.configsOf(2, topic.name).get('retention.ms'), topic.name).toBe('5');
    // Two topics of one request come and stay together, until the twin is removed by itself.
    const twin = image?.topicByName(`${topic.name}-twin`);
    if (!topic.name.endsWith('-twin') && twin === null) expect(image?.nextProducerId).toBeGreaterThan(0);
    if (topic.name.endsWith('-twin')) expect(image?.topicByName(topic.name.slice(0, -5))).not.toBeNull();
  }
}

const nothingTold = (): Told => ({ made: new Map(), removed: new Set(), nextProducerId: 0, epoch: 0 });

describe('a disk that stops at any operation', () => {
  const losses: Loss[] = ['nothing', 'what was not synced', 'half of what was not synced'];
  test.each(losses)('and loses %s leaves the old state or the new one', async (loss) => {
    let crashes = 0;
    for (let crashAt = 1; ; crashAt++) {
      const storage = new CrashStorage(crashAt);
      const told = nothingTold();
      const survived = await liveUntilCrash(storage, told, 4);
      await check(storage.survivor(loss), told).catch((error) => {
        throw new Error(`crash at operation ${crashAt}: ${error.message}`, { cause: error });
      });
      if (survived) {
        expect([...told.made.keys()]).toHaveLength(8);
        expect(told.removed.size).toBe(4);
        break;
      }
      crashes++;
    }
    expect(crashes).toBeGreaterThan(50);
  });

  test('also while it recovers from an earlier stop', async () => {
    const whole = new CrashStorage();
    const told = nothingTold();
    await liveUntilCrash(whole, told, 2);
    for (let crashAt = 1; ; crashAt++) {
      const again = whole.survivor('what was not synced', crashAt);
      const toldAgain: Told = { ...told, made: new Map(told.made), removed: new Set(told.removed) };
      const survived = await liveUntilCrash(again, toldAgain, 0);
      await check(again.survivor('what was not synced'), toldAgain);
      if (survived) break;
    }
  });
});
