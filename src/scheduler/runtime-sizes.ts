// What a worker's runtime gets where its starter does not say.
// Pure.
import { KIB, MIB } from '../base/units.ts';

/** Room for about 1300 produce descriptors of one partition in each direction of each pair of workers. */
export const RING_CAPACITY_BYTES = 256 * KIB;
/** Virtual: pages that nothing has touched take no memory. */
export const ARENA_BYTES = 512 * MIB;
/** Jobs of one worker in libuv's pool at a time; the pool has four threads unless UV_THREADPOOL_SIZE says otherwise. */
export const IO_CONCURRENCY = 4;
