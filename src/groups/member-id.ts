// The ids that the coordinator gives to members of classic groups: what the client calls itself, and a random UUID in its long form.
// Pure.
import type { Random } from '../base/random.ts';
import { fillRandomUuid, UUID_BYTES } from '../base/uuid.ts';

/** In UTF-16 units, at most three bytes each: with the UUID behind it the id is still a string of the protocol. */
const PREFIX_LENGTH_MAX = 8192;

/** `prefix` is the client id, or a static member's instance id. One that is too long for an id is left out. */
export function newMemberId(prefix: string, random: Random): string {
  const bytes = new Uint8Array(UUID_BYTES);
  fillRandomUuid(bytes, random);
  const hex = Buffer.from(bytes.buffer).toString('hex');
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return prefix.length > PREFIX_LENGTH_MAX ? uuid : `${prefix}-${uuid}`;
}
