// The quotas of clients as the metadata log holds them: of users, client ids and addresses, by name or as the default of all others.
// Nothing holds clients to them yet; they come from directories that another broker has written.
// Pure. Source: KIP-546.
import type { ClusterImage } from './image.ts';
import { entityKey } from './unserved-records.ts';

export type EntityType = 'user' | 'client-id' | 'ip';

/** A quota is of everything that the entity names; a null name is the default. */
export interface ClientQuota {
  readonly entity: ReadonlyMap<string, string | null>;
  readonly values: ReadonlyMap<string, number>;
}

export const MATCH = { EXACT: 0, DEFAULT: 1, ANY: 2 } as const;

export interface QuotaFilter {
  readonly entityType: string;
  readonly matchType: number;
  readonly match: string | null;
}

/** What is wrong with a filter: a type that nobody has is not the same as one that cannot be. */
export type FilterFault = { readonly fault: 'unsupported' | 'invalid'; readonly message: string };

const ENTITY_TYPES: ReadonlySet<string> = new Set(['user', 'client-id', 'ip'] satisfies EntityType[]);

/** All quotas, in the order in which their entities came first. */
export function clientQuotas(image: ClusterImage): ClientQuota[] {
  const found = new Map<string, { entity: Map<string, string | null>; values: Map<string, number> }>();
  for (const record of image.unservedRecords) {
    if (record.type !== 'ClientQuotaRecord') continue;
    const entity = new Map(record.entity.map(({ entityType, entityName }) => [entityType, entityName]));
    const key = entityKey(record.entity);
    const quota = found.get(key) ?? { entity, values: new Map<string, number>() };
    quota.values.set(record.key, record.value);
    found.set(key, quota);
  }
  return [...found.values()];
}

/** The quotas whose entities match all filters; with `isStrict` they name nothing else. */
export function matchingQuotas(quotas: readonly ClientQuota[], filters: readonly QuotaFilter[], isStrict: boolean): ClientQuota[] {
  if (filters.length === 0) return isStrict ? [] : [...quotas];
  return quotas.filter(({ entity }) => (!isStrict || entity.size === filters.length) && filters.every((filter) => matches(entity, filter)));
}

function matches(entity: ClientQuota['entity'], { entityType, matchType, match }: QuotaFilter): boolean {
  const name = entity.get(entityType);
  return name !== undefined && (matchType === MATCH.ANY || name === match);
}

/** Null where the filters can be asked; else the first fault, in Kafka's words. */
export function filterFault(filters: readonly QuotaFilter[]): FilterFault | null {
  const seen = new Set<string>();
  for (const filter of filters) {
    const message = componentFault(filter, seen);
    if (message !== null) return { fault: 'invalid', message };
    if (!ENTITY_TYPES.has(filter.entityType)) return { fault: 'unsupported', message: `Unsupported entity type ${filter.entityType}` };
    const matchFault = faultOfMatch(filter);
    if (matchFault !== null) return { fault: 'invalid', message: matchFault };
    seen.add(filter.entityType);
  }
  if (!seen.has('ip') || seen.size === 1) return null;
  const message =
    'Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.';
  return { fault: 'invalid', message };
}

function componentFault({ entityType }: QuotaFilter, seen: ReadonlySet<string>): string | null {
  if (entityType === '') return 'Invalid empty entity type.';
  return seen.has(entityType) ? `Entity type ${entityType} cannot appear more than once in the filter.` : null;
}

function faultOfMatch({ matchType, match }: QuotaFilter): string | null {
  switch (matchType) {
    case MATCH.EXACT:
      return match === null ? 'Request specified MATCH_TYPE_EXACT, but set match string to null.' : null;
    case MATCH.DEFAULT:
      return match === null ? null : 'Request specified MATCH_TYPE_DEFAULT, but also specified a match string.';
    case MATCH.ANY:
      return match === null ? null : 'Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.';
    default:
      return `Unknown match type ${matchType}`;
  }
}
