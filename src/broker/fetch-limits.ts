// What bounds the answer to a fetch.
// Pure.
import { MIB } from '../base/units.ts';

/** What one answer carries at most, whatever was asked: it is one slab. The first batch alone may be larger. */
export const RESPONSE_BYTES_MAX = 8 * MIB;
