// Whether naru.memory.max is a share for each worker that can be worked with: enough for the largest batch, and no more than a descriptor
// in a ring can point into.
// Pure. Not here: who gets how much of it (docs/internals/memory.md).
import { SLAB_MAX_BYTES, SLAB_MIN_BYTES, slabBytesFor } from '../actors/slab-arena.ts';
import { KIB } from '../base/units.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { ConfigError } from '../config/define.ts';

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

/** The largest batch that a worker with so much memory can receive. */
export function batchBytesMax(arenaBytes: number): number {
  const slabBytes = 2 ** Math.floor(Math.log2(arenaBytes / 2));
  return Math.min(slabBytes, SLAB_MAX_BYTES) - AROUND_BATCH_BYTES;
}

/** What to say of a limit of batches that is above all that can be received: what holds instead, and what would help; null: it is not. */
export function messageSizeFault(
  messageBytes: number,
  arenaBytes: number,
  { socketRequestMaxBytes, memoryMaxBytes }: BrokerConfig,
): string | null {
  const mostBytes = batchBytesMax(arenaBytes);
  // Above socket.request.max.bytes it is that option that decides, as with Apache Kafka, where such a value means no limit.
  if (Math.min(messageBytes, socketRequestMaxBytes - AROUND_BATCH_BYTES) <= mostBytes) return null;
  return `a connection with a larger batch than ${mostBytes} bytes is closed, since naru.memory.max=${memoryMaxBytes} has no room for it (allowed: at most ${mostBytes}, or a larger naru.memory.max)`;
}

/**
 * The least that a frame of so many bytes can be received in: its slab lies at a multiple of its size, and at the start of the arena is the
 * landing buffer (SlabArena.canReceive). What producers leave to others is less than the other half.
 */
function leastArenaBytes(frameBytes: number): number {
  return 2 * slabBytesFor(frameBytes);
}
