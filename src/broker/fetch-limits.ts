// What bounds a fetch: how much an answer carries, and how far a consumer may read.
// Pure.
import { MIB } from '../base/units.ts';

/** What one answer carries at most, whatever was asked: it is one slab. The first batch alone may be larger. */
export const RESPONSE_BYTES_MAX = 8 * MIB;

export const READ_UNCOMMITTED = 0;
/** The isolation level that stops at the last stable offset. */
export const READ_COMMITTED = 1;
