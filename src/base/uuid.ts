// Kafka's UUIDs: 16 bytes on the wire, 22 characters of unpadded base64url in files, configurations and our own maps.
// Inside Naru a UUID is always that string, so that it can be a map key; bytes exist at the edges only.
// Pure.
import type { Random } from './random.ts';

export const UUID_BYTES = 16;
/** All zeros: "no id" in every message of the protocol. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';
/** The topic id of `__cluster_metadata` (KIP-595). */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** Reads the 16 bytes at `position` as text. */
export function uuidFromBytes(bytes: Uint8Array, position: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + position, UUID_BYTES).toString('base64url');
}

/** Writes a 22-character UUID as 16 bytes. */
export function uuidToBytes(uuid: string, target: Uint8Array, position: number): void {
  Buffer.from(target.buffer, target.byteOffset + position, UUID_BYTES).write(uuid, 'base64url');
}

/** Whether `text` is a UUID as Kafka prints one. */
export function isUuid(text: string): boolean {
  return /^[A-Za-z0-9_-]{21}[AQgw]$/.test(text);
}

/** Fills 16 bytes with a random UUID of version 4, variant 1 (RFC 9562). */
export function fillRandomUuid(bytes: Uint8Array<ArrayBuffer>, random: Random): void {
  random.fill(bytes);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
}

/** A random (version 4) UUID that, as in Kafka, is no reserved one and does not start with '-' (it would read as an option). */
export function randomUuid(random: Random): string {
  const bytes = new Uint8Array(UUID_BYTES);
  for (;;) {
    fillRandomUuid(bytes, random);
    const uuid = uuidFromBytes(bytes, 0);
    if (!uuid.startsWith('-')) return uuid;
  }
}
