// Toy coordinators on simulated workers, with limits down to their minimum, stalls, kills and disk errors drawn from a seed. Whatever happens:
// a question is answered once while its process lives, nothing that was answered as kept is lost, and when all is
// quiet nothing is held any more.
import { expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { KIB } from '../../src/base/units.ts';
import { API } from '../../src/protocol/api-keys.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { Simulation } from '../../src/scheduler/sim-runtime.ts';
import { type ToyAnswer, type ToyApp, type ToyCommand, type ToyData, toyApp, toySharedBytes } from './toy-app.ts';
import { bodyOf } from './toy-bench.ts';
import type { ToyShard } from './toy-shard.ts';

const PARTITIONS = 4;
const GROUPS = 5;
const LIMIT_MS = 120_000;
/** NARU_SIM_SEEDS=400 runs so many, from 1 on. */
const seeds = Array.from({ length: Number(process.env.NARU_SIM_SEEDS ?? 12) }, (_, i) => i + 1);

interface Asked {
  readonly kind: 'keep' | 'wait' | 'leave';
  readonly groupId: string;
  /** Of a keep. */
  readonly value: string;
}

class World {
  readonly simulation: Simulation;
  readonly open = new Map<number, Asked>();
  /** What was answered as kept, by key. */
  readonly kept = new Map<string, string>();
  readonly apps: ToyApp[] = [];
  readonly #hasFaults: boolean;
  #isServing = false;
  #lastId = 0;

  constructor(seed: number) {
    this.#hasFaults = seed % 3 === 0;
    const dice = seededRandom(seed);
    const refuse = (operation: string, path: string): string | null =>
      this.#isServing && operation === 'write' && path.endsWith('.log') && dice.below(100) === 0 ? 'EIO' : null;
    const { arenaBytes } = new Simulation({ seed }).limits;
    // The largest question has to fit into the arena.
    const limits = { arenaBytes: Math.max(arenaBytes, 256 * KIB) };
    this.simulation = new Simulation({ seed, limits, ...(this.#hasFaults ? { faults: { refuse } } : {}) });
  }

  async boot(): Promise<void> {
    const { simulation } = this;
    this.#isServing = false;
    this.apps.length = 0;
    this.open.clear(); // Those who asked are gone with the process.
    await simulation.boot<ToyData>({
      data: { partitionCount: PARTITIONS },
      sharedBytes: toySharedBytes(simulation.limits.workerCount),
      factory: (runtime, data, supervisor) => {
        const app = toyApp(runtime, data, supervisor);
        this.apps.push(app);
        return app;
      },
      onMessage: (_worker, answer) => this.#hear(answer as ToyAnswer),
    });
    await simulation.until(() => this.#shards.length === PARTITIONS && this.#shards.every(({ loaded }) => loaded > 0), LIMIT_MS, 'loading');
    for (const [key, value] of this.kept) expect(this.#shards[partitionOf(key)]?.state.get(key), `key ${key}`).toBe(value);
    this.#isServing = true;
  }

  ask(): void {
    const { random, limits, process } = this.simulation;
    const group = random.below(GROUPS);
    const roll = random.below(10);
    const kind = roll < 6 ? 'keep' : roll < 9 ? 'wait' : 'leave';
    const length = random.below(4) === 0 ? random.below(40_000) : random.below(200);
    const number = this.#lastId + 1;
    const asked =
      kind === 'keep'
        ? { kind, groupId: `${group}/${number}`, value: `${number} `.padEnd(length, 'x') }
        : { kind, groupId: `${group}`, value: '' };
    process?.send(random.below(limits.workerCount), this.#command(asked as Asked));
  }

  /** All that waits is let go; then everything is answered, and nothing is held. */
  async settle(): Promise<void> {
    const { simulation } = this;
    await simulation.until(
      () => {
        if ([...this.open.values()].some(({ kind }) => kind !== 'wait')) return false;
        // More than once: one that waits may still be on its way when its group is told to go.
        for (let group = 0; group < GROUPS && this.open.size > 0; group++) {
          simulation.process?.send(0, this.#command({ kind: 'leave', groupId: `${group}`, value: '' }));
        }
        return this.open.size === 0;
      },
      LIMIT_MS,
      'the answers to all questions',
    );
    await simulation.runFor(10);
    for (const { client, coordinators, runtime } of this.apps) {
      const held = [client.waitingCount, client.laterCount, coordinators.openCount, coordinators.readyCount, runtime.arena.usedBytes];
      expect(held).toEqual([0, 0, 0, 0, 0]);
    }
  }

  /** By partition. */
  get #shards(): readonly ToyShard[] {
    const entries = this.apps.flatMap(({ shards }) => [...shards]);
    return entries.sort(([a], [b]) => a - b).map(([, shard]) => shard);
  }

  #command(asked: Asked): ToyCommand {
    const { kind, groupId, value } = asked;
    const id = ++this.#lastId;
    this.open.set(id, asked);
    const apiKey = { keep: API.SyncGroup, wait: API.JoinGroup, leave: API.LeaveGroup }[kind];
    const assignments = kind === 'keep' ? { assignments: [{ assignment: Buffer.from(value) }] } : {};
    const body = bodyOf(apiKey, { groupId, ...assignments });
    return { type: 'ask', questions: [{ id, partition: partitionOf(groupId), apiKey, apiVersion: 3, body }] };
  }

  #hear({ id, body }: ToyAnswer): void {
    const asked = this.open.get(id);
    if (asked === undefined) throw new Error(`answer ${id} came twice, or to nobody`);
    this.open.delete(id);
    const { errorCode, assignment } = body as { errorCode: number; assignment?: Uint8Array };
    expect(this.#hasFaults ? [ERROR.NONE, ERROR.NOT_COORDINATOR] : [ERROR.NONE]).toContain(errorCode);
    if (asked.kind !== 'keep' || errorCode !== ERROR.NONE) return;
    expect(Buffer.from(assignment ?? []).toString()).toBe(asked.value);
    this.kept.set(asked.groupId, asked.value);
  }
}

/** Of a key, "group/number", or of a group. */
function partitionOf(key: string): number {
  return Number(key.split('/')[0]) % PARTITIONS;
}

it.each(seeds)('seed %i', async (seed) => {
  const world = new World(seed);
  const { simulation } = world;
  for (let life = 0; life < 3; life++) {
    await world.boot();
    for (let i = 0; i < 60; i++) {
      world.ask();
      await simulation.runFor(simulation.draw(2));
    }
    if (simulation.random.below(2) === 0) await world.settle();
    simulation.kill();
  }
  await world.boot();
  await world.settle();
  simulation.kill();
});
