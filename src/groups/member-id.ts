// The ids that the coordinator gives to members of classic groups: what the client calls itself, and a random UUID in its long form.
// Pure.
import type { Random } from '../base/random.ts';

/** In UTF-16 units, at most three bytes each: with the UUID behind it the id is still a string of the protocol. */
const PREFIX_LENGTH_MAX = 8192;
const UUID_BYTES = 16;

/** `prefix` is the client id, or a static member's instance id. One that is too long for an id is left out. */
export function newMemberId(prefix: string, random: Random): string {
  const bytes = new Uint8Array(UUID_BYTES);
  random.fill(bytes);
  // Version 4, variant 1.
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes.buffer).toString('hex');
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return prefix.length > PREFIX_LENGTH_MAX ? uuid : `${prefix}-${uuid}`;
}
