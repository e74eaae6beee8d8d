// The slots of one worker: numbers that it alone writes and that the main thread reads for /metrics, without a message.
// Each part of a worker gets a block and lays it out itself (network-counters.ts, request-meter.ts, partition-meter.ts, loop-meter.ts, sync-meter.ts, slab-arena.ts).
// Invariants: one writer for each slot; a slot that counts never falls. Slots are 64-bit floats: whole up to 2^53.
// They are no words of the algorithms between workers: nothing is decided by them and no order among them is promised, so they are read and
// written plainly (docs/decisions/0019-metrics.md has the price of doing otherwise).
// Pure.

const SLOT_BYTES = 8;
/** Blocks begin on lines of their own, so that the slots of two workers never share one. */
const LINE_SLOTS = 128 / SLOT_BYTES;

/** Slots by block. */
export const BLOCK_SLOTS = { network: 48, requests: 128 * 32, errors: 128 * 160, partitions: 48, loop: 48, disk: 64, arena: 32 } as const;

type Block = keyof typeof BLOCK_SLOTS;

const blocks = Object.entries(BLOCK_SLOTS) as [Block, number][];
const WORKER_SLOTS = blocks.reduce((sum, [, count]) => sum + Math.ceil(count / LINE_SLOTS) * LINE_SLOTS, 0);

/** Bytes of the region for `workerCount` workers. Pages that nobody writes take no memory. */
export function slotRegionBytes(workerCount: number): number {
  return workerCount * WORKER_SLOTS * SLOT_BYTES;
}

export type WorkerSlots = Readonly<Record<Block, Float64Array>>;

/** The slots of `worker` in a region of slotRegionBytes. */
export function workerSlots(region: SharedArrayBuffer, worker: number): WorkerSlots {
  let at = worker * WORKER_SLOTS;
  const slots: Partial<Record<Block, Float64Array>> = {};
  for (const [block, count] of blocks) {
    slots[block] = new Float64Array(region, at * SLOT_BYTES, count);
    at += Math.ceil(count / LINE_SLOTS) * LINE_SLOTS;
  }
  return slots as WorkerSlots;
}

/** Slots that nobody else sees. */
export function ownSlots(): WorkerSlots {
  return workerSlots(new SharedArrayBuffer(slotRegionBytes(1)), 0);
}
