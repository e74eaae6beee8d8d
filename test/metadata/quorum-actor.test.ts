// The life of a single-node quorum: what a fresh directory holds, what a restart finds, when answers come.
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { type OpenMode, StorageError, type StorageFile } from '../../src/log/storage.ts';
import { METADATA_DIRECTORY } from '../../src/metadata/bootstrap.ts';
import { allocateProducerIds } from '../../src/metadata/producer-ids.ts';
import { createTopics, deleteTopics } from '../../src/metadata/topics.ts';
import { format, LOG_DIRECTORY, NODE_ID, settled, TestNode } from './cluster.ts';
import { word } from './read-log.ts';

const DIRECTORY = `${LOG_DIRECTORY}/${METADATA_DIRECTORY}`;

function formatted(): MemoryStorage {
  const storage = new MemoryStorage();
  format(storage);
  return storage;
}

function topic(name: string, numPartitions = 1): Parameters<typeof createTopics>[1] {
  return { topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }], validateOnly: false };
}

/** Keeps from a worker what the controller sends to it, until `letGo`. */
function holdBack(node: TestNode, index: number): { readonly worker: TestNode['workers'][number]; readonly letGo: () => void } {
  const worker = node.workers[index];
  if (worker === undefined) throw new Error('so many workers were not asked for');
  const held: (() => void)[] = [];
  const receive = worker.receive.bind(worker);
  worker.receive = (message) => held.push(() => receive(message));
  const letGo = (): void => {
    worker.receive = receive;
    for (const apply of held.splice(0)) apply();
  };
  return { worker, letGo };
}

describe('a fresh directory', () => {
  test('holds what Apache Kafka 4.3.1 writes at the first start', async () => {
    const node = await new TestNode({ storage: formatted(), quorum: { idleIntervalMs: 500 } }).start();
    await node.advance(1600);
    expect(node.log().map(word)).toEqual([
      ...['LEADER_CHANGE', 'KRAFT_VERSION', 'KRAFT_VOTERS'],
      'BeginTransaction',
      ...Array.from({ length: 6 }, () => 'FeatureLevel'),
      'Config',
      'EndTransaction',
      ...['RegisterController', 'RegisterBroker', 'BrokerRegistrationChange', 'BrokerRegistrationChange'],
      ...['NoOp', 'NoOp', 'NoOp'],
    ]);
    const features = node
      .log()
      .flatMap((record) => (record.type === 'FeatureLevelRecord' ? [`${record.name}=${record.featureLevel}`] : []));
    expect(features).toEqual([
      'metadata.version=30',
      'eligible.leader.replicas.version=1',
      'group.version=1',
      'share.version=1',
      'streams.version=1',
      'transaction.version=2',
    ]);
    expect(node.log()[10]).toEqual({ type: 'ConfigRecord', resourceType: 4, resourceName: '', name: 'min.insync.replicas', value: '1' });
    expect(node.brokerEpoch).toBe(13);
  });

  test('has the quorum state in the format of Apache Kafka', async () => {
    const storage = formatted();
    await new TestNode({ storage }).start();
    expect(storage.readText(`${DIRECTORY}/quorum-state`)).toBe(
      '{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}',
    );
  });

  test('with metadata.max.idle.interval.ms=0 has no NO_OP records', async () => {
    const node = await new TestNode({ storage: formatted() }).start();
    await node.advance(10_000);
    expect(node.log().map(word)).not.toContain('NoOp');
  });
});

describe('answers', () => {
  test('come when every worker has applied what they rest on', async () => {
    const node = await new TestNode({ storage: formatted(), workerCount: 3 }).start();
    const [created] = await node.submit((image, env) => createTopics(image, topic('orders', 3), env));
    for (const worker of node.workers) {
      expect(worker.image.topicByName('orders')).toMatchObject({
        id: created?.topicId,
        partitions: [{ slot: 0 }, { slot: 1 }, { slot: 2 }],
      });
      expect(worker.image.topicById(created?.topicId ?? '')?.name).toBe('orders');
    }
  });

  test('wait for the slowest worker, those about a state that is only staged too', async () => {
    const node = await new TestNode({ storage: formatted(), workerCount: 2 }).start();
    const { letGo } = holdBack(node, 1);
    const answers: string[] = [];
    node.quorum.submit(
      (image, env) => createTopics(image, topic('a'), env),
      ([result]) => answers.push(`create ${result?.errorCode}`),
    );
    node.quorum.submit(
      (image, env) => createTopics(image, topic('a'), env),
      ([result]) => answers.push(`again ${result?.errorCode}`),
    );
    await settled();
    expect(node.workers[0]?.image.topicByName('a')).not.toBeNull();
    expect(answers).toEqual([]);
    letGo();
    expect(answers).toEqual(['create 0', 'again 36']);
  });

  test('a name is given again when every worker has let go of it', async () => {
    const node = await new TestNode({ storage: formatted(), workerCount: 2 }).start();
    await node.submit((image, env) => createTopics(image, topic('a'), env));
    const { worker: slow, letGo } = holdBack(node, 1);
    const answers: string[] = [];
    node.quorum.submit(
      (image) => deleteTopics(image, { topicNames: ['a'], topics: [] }),
      ([result]) => answers.push(`delete ${result?.errorCode}`),
    );
    node.quorum.submitCreation(
      (image, env) => createTopics(image, topic('a'), env),
      ([result]) => answers.push(`create ${result?.errorCode}`),
      () => answers.push('refused'),
    );
    await settled();
    expect(node.workers[0]?.image.topicByName('a')).toBeNull();
    letGo();
    expect(node.workers[0]?.image.topicByName('a')).toBeNull();
    await settled();
    expect(answers).toEqual(['delete 0', 'create 0']);
    expect(slow.image.topicByName('a')).not.toBeNull();
  });

  test('tell listeners once, after the whole batch, before the answer', async () => {
    const node = await new TestNode({ storage: formatted(), workerCount: 1 }).start();
    const heard: string[] = [];
    node.workers[0]?.onChange((change, image) => {
      heard.push(
        [
          ...change.topicsCreated.map((created) => `+${created.name}(${created.partitions.length})`),
          ...change.topicsDeleted.map((deleted) => `-${deleted.name}`),
        ].join(' '),
      );
      expect(image.endOffset).toBe(node.workers[0]?.appliedOffset);
    });
    await node.submit((image, env) => {
      const both = [...topic('a', 2).topics, ...topic('b').topics];
      return createTopics(image, { topics: both, validateOnly: false }, env);
    });
    expect(heard).toEqual(['+a(2) +b(1)']);
    const zero = 'AAAAAAAAAAAAAAAAAAAAAA';
    await node.submit((image) => deleteTopics(image, { topicNames: [], topics: [{ name: 'a', topicId: zero }] }));
    expect(heard).toEqual(['+a(2) +b(1)', '-a']);
  });

  test('whenApplied holds a request that is ahead of its worker', async () => {
    const node = await new TestNode({ storage: formatted(), workerCount: 1 }).start();
    const worker = node.workers[0];
    if (worker === undefined) throw new Error('one worker was asked for');
    const order: string[] = [];
    worker.whenApplied(worker.appliedOffset + 2, () => order.push('second'));
    worker.whenApplied(worker.appliedOffset + 1, () => order.push('first'));
    worker.whenApplied(worker.appliedOffset, () => order.push('at once'));
    expect(order).toEqual(['at once']);
    await node.submit((image, env) => createTopics(image, topic('a'), env));
    expect(order).toEqual(['at once', 'first', 'second']);
  });
});

describe('a restart', () => {
  test('raises the epoch of the quorum and of every partition, and keeps everything else', async () => {
    const storage = formatted();
    const first = await new TestNode({ storage }).start();
    const [created] = await first.submit((image, env) => createTopics(image, topic('orders', 2), env));
    const block = await first.submit((image) => allocateProducerIds(image, NODE_ID, first.brokerEpoch));
    expect(block).toEqual({ firstProducerId: 0, count: 1000 });
    for (const leaderEpoch of [1, 2, 3]) {
      const node = await new TestNode({ storage, seed: leaderEpoch + 1 }).start();
      expect(node.quorum.epoch).toBe(leaderEpoch + 1);
      const orders = node.workers[1]?.image.topicByName('orders');
      expect(orders?.id).toBe(created?.topicId);
      expect(orders?.partitions.map((partition) => partition.leaderEpoch)).toEqual([leaderEpoch, leaderEpoch]);
      expect(orders?.partitions.map((partition) => partition.leader)).toEqual([NODE_ID, NODE_ID]);
      expect(node.workers[1]?.image.nextProducerId).toBe(1000);
      expect(node.workers[1]?.image.features.get('metadata.version')).toBe(30);
      expect(node.workers[1]?.image.configsOf(4, '').get('min.insync.replicas')).toBe('1');
    }
    const bootstraps = new TestNode({ storage }).log().filter((record) => record.type === 'BeginTransactionRecord');
    expect(bootstraps).toHaveLength(1);
  });

  test('gives slots to the partitions that are there, not to those that were', async () => {
    const storage = formatted();
    const first = await new TestNode({ storage }).start();
    const zero = 'AAAAAAAAAAAAAAAAAAAAAA';
    await first.submit((image, env) => createTopics(image, topic('gone', 5), env));
    await first.submit((image, env) => createTopics(image, topic('here', 2), env));
    expect(first.workers[0]?.image.topicByName('here')?.partitions.map((partition) => partition.slot)).toEqual([5, 6]);
    await first.submit((image) => deleteTopics(image, { topicNames: ['gone'], topics: [] }));
    await first.submit((image, env) => createTopics(image, topic('gone', 1), env));
    expect(first.workers[0]?.image.topicByName('gone')?.partitions.map((partition) => partition.slot)).toEqual([7]);
    const second = await new TestNode({ storage }).start();
    const slots = [second.quorum.image, ...second.workers.map((worker) => worker.image)].map((image) =>
      ['here', 'gone'].flatMap((name) => image.topicByName(name)?.partitions.map((partition) => partition.slot)),
    );
    for (const given of slots) expect(given).toEqual([0, 1, 2]);
    expect(zero).toHaveLength(22);
  });

  test('writes an operation of more records than a batch holds within a metadata transaction', async () => {
    const storage = formatted();
    const first = await new TestNode({ storage, workerCount: 1 }).start();
    await first.submit((image, env) => createTopics(image, topic('wide', 6000), env));
    await first.submit((image, env) => createTopics(image, topic('wider', 6000), env));
    const second = await new TestNode({ storage, workerCount: 1 }).start();
    const words = second.log().map(word);
    expect(words.slice(-12_003)).toEqual([
      'BeginTransaction',
      'BrokerRegistrationChange',
      ...Array.from({ length: 12_000 }, () => 'PartitionChange'),
      'EndTransaction',
    ]);
    expect(second.workers[0]?.image.topicByName('wider')?.partitions.every((partition) => partition.leaderEpoch === 1)).toBe(true);
  });

  test('refuses a quorum of other voters, naming them', async () => {
    const storage = formatted();
    const node = new TestNode({ storage, quorum: { nodeId: 2 } });
    expect(() => node.quorum.start(() => {})).toThrow(/voters are 1 \(directory rcLuce-ZQ9O9K3L_zmJGeg\); this is node 2/);
  });

  test('refuses a quorum-state file that it cannot read', async () => {
    const storage = formatted();
    storage.replaceText(`${DIRECTORY}/quorum-state`, '{"leaderId":');
    expect(() => new TestNode({ storage }).quorum.start(() => {})).toThrow(/quorum-state: not a quorum state/);
  });
});

describe('snapshots', () => {
  test('are made as the log grows, let old segments go, and carry a restart', async () => {
    const storage = formatted();
    const options = { storage, workerCount: 1, segmentBytes: 2000, quorum: { snapshotBytes: 5000 } };
    const first = await new TestNode(options).start();
    for (let i = 0; i < 100; i++) {
      await first.submit((image, env) => createTopics(image, topic(`t${i}`, 2), env));
      if (i % 2 === 1) await first.submit((image) => deleteTopics(image, { topicNames: [`t${i}`], topics: [] }));
    }
    const snapshots = storage.list(DIRECTORY).filter((name) => name.endsWith('.checkpoint'));
    expect(snapshots).toHaveLength(2);
    expect(storage.exists(`${DIRECTORY}/00000000000000000000.log`)).toBe(false);
    const before = first.workers[0]?.image;
    const second = await new TestNode(options).start();
    const after = second.workers[0]?.image;
    expect([...(after?.topics ?? [])].map((found) => [found.name, found.id]).sort()).toEqual(
      [...(before?.topics ?? [])].map((found) => [found.name, found.id]).sort(),
    );
    expect(after?.topicCount).toBe(50);
    expect(after?.features).toEqual(before?.features);
  });

  test('are made by time too', async () => {
    const storage = formatted();
    const node = await new TestNode({ storage, quorum: { snapshotIntervalMs: 3_600_000, idleIntervalMs: 500_000 } }).start();
    await node.advance(4_000_000);
    expect(storage.list(DIRECTORY).filter((name) => name.endsWith('.checkpoint'))).toHaveLength(2);
  });
});

describe('a disk that fails', () => {
  /** A memory disk whose log files refuse to be written or synced from a chosen moment on. */
  class FailingStorage extends MemoryStorage {
    refuses: 'nothing' | 'write' | 'sync' = 'nothing';

    override open(path: string, mode: OpenMode): StorageFile {
      const file = super.open(path, mode);
      if (!path.endsWith('.log')) return file;
      const { write, writeGathered, syncLater } = file;
      file.write = (source, at, length, position) => {
        if (this.refuses === 'write') throw new StorageError('ENOSPC', path, 'writing');
        return write.call(file, source, at, length, position);
      };
      file.writeGathered = (pieces, position) => {
        if (this.refuses === 'write') throw new StorageError('ENOSPC', path, 'writing');
        return writeGathered.call(file, pieces, position);
      };
      file.syncLater = (done) => {
        if (this.refuses === 'sync') queueMicrotask(() => done(new StorageError('EIO', path, 'syncing')));
        else syncLater.call(file, done);
      };
      return file;
    }
  }

  test.each([
    ['write', 'ENOSPC'],
    ['sync', 'EIO'],
  ] as const)('at a %s refuses what is open and all that follows, and writes nothing more', async (refused, errno) => {
    const storage = new FailingStorage();
    format(storage);
    const node = await new TestNode({ storage, quorum: { idleIntervalMs: 500, snapshotIntervalMs: 1000 } }).start();
    const create = (name: string): void =>
      node.quorum.submit(
        (image, env) => createTopics(image, topic(name), env),
        ([result]) => answers.push(`${name}: ${result?.errorCode}`),
        () => answers.push(`${name}: refused`),
      );
    const answers: string[] = [];
    create('kept');
    await settled();
    storage.refuses = refused;
    create('lost');
    // Decided on what is not committed: that it is there already would be a lie.
    create('lost');
    await settled();
    const log = node.log();
    const files = storage.list(DIRECTORY);
    storage.refuses = 'nothing';
    create('after');
    await node.advance(10_000);
    expect(answers).toEqual(['kept: 0', 'lost: refused', 'lost: refused', 'after: refused']);
    expect(node.failures.map((error) => error.message)).toEqual([expect.stringMatching(new RegExp(`${DIRECTORY}/.*\\.log: ${errno}$`))]);
    expect(node.log()).toEqual(log);
    expect(storage.list(DIRECTORY)).toEqual(files);
    for (const { image } of node.workers) expect([...image.topics].map(({ name }) => name)).toEqual(['kept']);
    node.quorum.stop();
    const next = await new TestNode({ storage }).start();
    expect(next.quorum.epoch).toBe(2);
    expect(next.workers[0]?.image.topicByName('kept')).not.toBeNull();
  });

  test('that another process writes to takes nothing more, and keeps what that one has written', async () => {
    const storage = formatted();
    const node = await new TestNode({ storage, quorum: { idleIntervalMs: 500, snapshotIntervalMs: 1000 } }).start();
    await node.submit((image, env) => createTopics(image, topic('ours'), env));
    // The other one is on the same disk, in an epoch of its own.
    const other = await new TestNode({ storage, seed: 2 }).start();
    await other.submit((image, env) => createTopics(image, topic('theirs'), env));
    const log = node.log();
    const answers: string[] = [];
    for (const name of ['late', 'later']) {
      node.quorum.submit(
        (image, env) => createTopics(image, topic(name), env),
        () => answers.push('answered'),
        () => answers.push('refused'),
      );
    }
    await node.advance(10_000);
    expect(answers).toEqual(['refused', 'refused']);
    expect(node.failures.map((error) => error.message)).toEqual([
      expect.stringMatching(/^another process has written to the metadata log, whose last segment has \d+ bytes instead of \d+: /),
    ]);
    expect(node.log()).toEqual(log);
    node.quorum.stop();
    const next = await new TestNode({ storage, seed: 3 }).start();
    expect(next.quorum.epoch).toBe(3);
    expect([...next.quorum.image.topics].map(({ name }) => name).sort()).toEqual(['ours', 'theirs']);
  });

  test('that another process has cut takes nothing more', async () => {
    const storage = formatted();
    const node = await new TestNode({ storage }).start();
    const file = storage.open(`${DIRECTORY}/00000000000000000000.log`, 'read-write');
    const cutBytes = file.sizeBytes() - 1;
    file.truncate(cutBytes);
    const answer = new Promise((resolve) => {
      node.quorum.submit(
        (image, env) => createTopics(image, topic('late'), env),
        () => resolve('answered'),
        () => resolve('refused'),
      );
    });
    expect(await answer).toBe('refused');
    expect(node.failures.map((error) => error.message)).toEqual([
      expect.stringMatching(/^another process has cut the metadata log, whose last segment has \d+ bytes instead of \d+: /),
    ]);
    expect(file.sizeBytes()).toBe(cutBytes);
  });

  test('answers what was on the medium when the disk refused, once it is applied, and refuses what waits behind', async () => {
    const storage = new FailingStorage();
    format(storage);
    const node = await new TestNode({ storage, workerCount: 1 }).start();
    const answers: string[] = [];
    const create = (name: string): void =>
      node.quorum.submit(
        (image, env) => createTopics(image, topic(name), env),
        ([result]) => answers.push(`${name}: ${result?.errorCode}`),
        () => answers.push(`${name}: refused`),
      );
    create('synced');
    node.isHeld = true;
    await settled();
    storage.refuses = 'write';
    create('unwritten');
    expect(answers).toEqual(['unwritten: refused']);
    node.isHeld = false;
    expect(answers).toEqual(['unwritten: refused', 'synced: 0']);
  });
});
