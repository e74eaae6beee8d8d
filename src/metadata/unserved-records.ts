// What the metadata say of things that Naru does not serve (ACLs, quotas, credentials, tokens): kept so that a snapshot loses nothing, and
// told to those who ask what another broker has set.
// Invariant: of each thing there is the record that holds, as a snapshot of Kafka's has it, and none once it was removed: what is kept grows
// with what there is, not with how often it was changed. The order is that in which the things came to be.
// Pure.
import type { MetadataRecord } from './metadata-records.ts';

export class UnservedRecords {
  readonly #records = new Map<string, MetadataRecord>();

  get size(): number {
    return this.#records.size;
  }

  all(): Iterable<MetadataRecord> {
    return this.#records.values();
  }

  replay(record: MetadataRecord): void {
    const key = keyOf(record);
    if (isRemoval(record)) this.#records.delete(key);
    else this.#records.set(key, record);
  }
}

/** What the record is about: the same for a record that takes the place of another, or that removes it. */
function keyOf(record: MetadataRecord): string {
  switch (record.type) {
    case 'AccessControlEntryRecord':
    case 'RemoveAccessControlEntryRecord':
      return `acl ${record.id}`;
    case 'ClientQuotaRecord':
      return `quota ${entityKey(record.entity)} ${record.key}`;
    case 'UserScramCredentialRecord':
    case 'RemoveUserScramCredentialRecord':
      return `scram ${record.mechanism} ${record.name}`;
    case 'DelegationTokenRecord':
    case 'RemoveDelegationTokenRecord':
      return `token ${record.tokenId}`;
    default:
      return record.type; // Of any other kind the last one holds.
  }
}

/** The same for the same entity of quotas, whatever the order of its parts. */
export function entityKey(entity: Extract<MetadataRecord, { type: 'ClientQuotaRecord' }>['entity']): string {
  const parts = entity.map(({ entityType, entityName }): [type: string, name: string | null] => [entityType, entityName]);
  return JSON.stringify(parts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isRemoval(record: MetadataRecord): boolean {
  switch (record.type) {
    case 'RemoveAccessControlEntryRecord':
    case 'RemoveUserScramCredentialRecord':
    case 'RemoveDelegationTokenRecord':
      return true;
    case 'ClientQuotaRecord':
      return record.remove;
    default:
      return false;
  }
}
