// Which users have SCRAM credentials in the metadata log, by which mechanisms: never the credentials themselves.
// Pure. Source: KIP-554.
import type { ClusterImage } from './image.ts';

export interface CredentialInfo {
  /** 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
  readonly mechanism: number;
  readonly iterations: number;
}

/** By user, mechanisms ascending. */
export function scramCredentials(image: ClusterImage): Map<string, CredentialInfo[]> {
  const found = new Map<string, CredentialInfo[]>();
  for (const record of image.unservedRecords) {
    if (record.type !== 'UserScramCredentialRecord') continue;
    const { name, mechanism, iterations } = record;
    const mechanisms = found.get(name) ?? [];
    mechanisms.push({ mechanism, iterations });
    found.set(name, mechanisms);
  }
  for (const mechanisms of found.values()) mechanisms.sort((a, b) => a.mechanism - b.mechanism);
  return found;
}
