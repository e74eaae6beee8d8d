// Whether naru.memory.max is a share for each worker that can be worked with: enough for the largest batch, and no more than a descriptor
// in a ring can point into.
// Pure. Not here: who gets how much of it (docs/internals/memory.md).
import { SLAB_MIN_BYTES, slabBytesFor } from '../actors/slab-arena.ts';
import { KIB } from '../base/units.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { ConfigError } from '../config/define.ts';
import { memoryReserves } from '../network/memory-order.ts';

/** Positions travel as 32-bit integers, and so do the ends of what lies there. */
export const ARENA_BYTES_MAX = 2 ** 31 - SLAB_MIN_BYTES;
/** Of a Produce around its batch: the header and the names in it, unless they are absurd. */
const AROUND_BATCH_BYTES = KIB;

/** Bytes of each worker's arena. Throws ConfigError: what was given, what is allowed. */
export function arenaBytesOf({ memoryMaxBytes, messageMaxBytes, workers }: BrokerConfig): number {
  const count = Math.max(1, workers);
  const shareBytes = Math.floor(memoryMaxBytes / count);
  const key = 'naru.memory.max';
  const share = `${key}=${memoryMaxBytes}: ${shareBytes} bytes for each of ${count === 1 ? 'one worker' : `${count} workers`}`;
  const mostBytes = 2 ** 31 * count;
  if (memoryMaxBytes > mostBytes) {
    throw new ConfigError(
      `${share} are more than a worker can use (allowed: at most ${mostBytes}, 2 GiB for each)`,
      key,
      String(memoryMaxBytes),
    );
  }
  const arenaBytes = Math.min(shareBytes, ARENA_BYTES_MAX);
  const leastBytes = leastArenaBytes(messageMaxBytes + AROUND_BATCH_BYTES);
  if (arenaBytes < leastBytes) {
    throw new ConfigError(
      `${share} are too little for a batch of message.max.bytes=${messageMaxBytes} (allowed: at least ${leastBytes * count}, or a smaller message.max.bytes)`,
      key,
      String(memoryMaxBytes),
    );
  }
  return arenaBytes;
}

/**
 * The least that a frame of so many bytes, which comes piece by piece, can be received in: a slab for it, beside the one of half that size that
 * it grows out of, beside what producers leave to others (SlabArena.canReceive).
 */
function leastArenaBytes(frameBytes: number): number {
  const neededBytes = 1.5 * slabBytesFor(frameBytes);
  const reservedPart = memoryReserves(2 ** 20).produce / 2 ** 20;
  return (Math.floor(neededBytes / (1 - reservedPart) / SLAB_MIN_BYTES) + 1) * SLAB_MIN_BYTES;
}
