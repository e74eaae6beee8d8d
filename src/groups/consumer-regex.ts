// Regular expressions that a group's members subscribe with: whether one is any, and which topics they mean, looked for apart from the
// requests of members and looked for again as topics come.
// Invariant: for each group at most one search is under way.
// Pure. Source: KIP-848, "Regular expressions".
import { SECOND_MS } from '../base/units.ts';
import type { ShardEnvironment } from '../coordinator/shard.ts';
import { ERROR } from '../protocol/errors.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import type { ConsumerRebalance } from './consumer-rebalance.ts';
import { epochRecord, regexRecord, regexTombstone } from './consumer-records.ts';
import type { ResolvedRegex } from './consumer-subscriptions.ts';
import { consumerTimerKey } from './consumer-timers.ts';
import type { GroupConfig } from './group-config.ts';
import type { GroupRecord } from './group-records.ts';
import { Refusal } from './refusal.ts';
import { RegexSearch } from './subscription-regex.ts';

/** A group's topics are not looked for more often than this, however often topics come. */
const SEARCH_INTERVAL_MIN_MS = 10 * SECOND_MS;
/** Characters of names times steps of patterns in one turn: 50 common names and patterns. */
const SEARCH_COST_PER_TURN = 50_000;
/** Searches of groups that are gone are forgotten at the latest when as many others have come. */
const LAST_SEARCHES_MAX = 10_000;

/** What became of a member's regular expression with its request. */
export type RegexChange = 'same' | 'changed' | 'changed and resolved';

export class ConsumerRegex {
  readonly #environment: ShardEnvironment;
  readonly #config: GroupConfig;
  readonly #rebalance: ConsumerRebalance;
  /** Under way, by group. */
  readonly #searches = new Map<string, RegexSearch>();
  /** When and of which version the last was, by group: the records say so only where something was found to have changed. */
  readonly #lastSearches = new Map<string, { readonly startedMs: number; readonly version: number }>();

  constructor(environment: ShardEnvironment, config: GroupConfig, rebalance: ConsumerRebalance) {
    this.#environment = environment;
    this.#config = config;
    this.#rebalance = rebalance;
  }

  /** `from` is the member as it was; null: it is new. */
  change(group: ConsumerGroup, from: ConsumerMember | null, to: ConsumerMember, records: GroupRecord[]): RegexChange | Refusal {
    const { regexes, resolved } = group.subscriptions;
    const oldRegex = from?.regex ?? null;
    const newRegex = to.regex;
    if (oldRegex === newRegex) {
      if (regexes.size > 0) this.#searchWhereDue(group, [...regexes.keys()], false);
      return 'same';
    }
    if (oldRegex !== null && regexes.get(oldRegex) === 1) records.push(regexTombstone(group.groupId, oldRegex));
    const isNew = newRegex !== null && !regexes.has(newRegex);
    if (isNew) {
      const result = this.#config.regexes.compile(newRegex);
      if ('reason' in result) {
        const message = `SubscribedTopicRegex \`${newRegex}\` is not a valid regular expression: ${result.reason}.`;
        return new Refusal(ERROR.INVALID_REGULAR_EXPRESSION, message);
      }
    }
    const subscribed = new Set(regexes.keys());
    if (oldRegex !== null && regexes.get(oldRegex) === 1) subscribed.delete(oldRegex);
    if (newRegex !== null) subscribed.add(newRegex);
    if (subscribed.size > 0) this.#searchWhereDue(group, [...subscribed], isNew);
    // An epoch for a regular expression that is not resolved would be followed by another one at once.
    return newRegex === null || resolved.has(newRegex) ? 'changed and resolved' : 'changed';
  }

  /** Starts a search, where none is under way and the last is not too recent, for one of several reasons. */
  #searchWhereDue(group: ConsumerGroup, regexes: readonly string[], isAsked: boolean): void {
    const { groupId, subscriptions } = group;
    if (this.#searches.has(groupId)) return;
    const nowMs = this.#environment.wallMs();
    const { version } = this.#environment.topics;
    const last = this.#lastSearches.get(groupId);
    // The resolutions of a group were all made at one time, or a later one is about to be.
    const [resolved] = subscriptions.resolved.values();
    const lastMs = Math.max(last?.startedMs ?? Number.NEGATIVE_INFINITY, resolved?.timestampMs ?? Number.NEGATIVE_INFINITY);
    if (resolved !== undefined && nowMs <= lastMs + SEARCH_INTERVAL_MIN_MS) return;
    const isDue =
      isAsked ||
      regexes.length !== subscriptions.resolved.size ||
      last?.version !== version ||
      nowMs > lastMs + this.#config.consumer.regexRefreshIntervalMs;
    if (!isDue) return;
    this.#searches.set(groupId, new RegexSearch(this.#config.regexes, regexes, this.#environment.topics.names(), version, nowMs));
    this.#environment.timers.set(consumerTimerKey('regex', groupId), 0);
  }

  /** Goes on with the group's search; its end may be the next epoch of the group. */
  onTimer(groupId: string, group: ConsumerGroup | undefined, records: GroupRecord[]): void {
    const search = this.#searches.get(groupId);
    if (search === undefined) return;
    if (group === undefined) {
      this.#searches.delete(groupId);
    } else if (search.advance(SEARCH_COST_PER_TURN)) {
      this.#searches.delete(groupId);
      this.#noteSearch(groupId, search);
      this.#finish(group, search, records);
    } else {
      this.#environment.timers.set(consumerTimerKey('regex', groupId), 0);
    }
  }

  #noteSearch(groupId: string, { startedMs, version }: RegexSearch): void {
    this.#lastSearches.delete(groupId);
    const oldest = this.#lastSearches.size < LAST_SEARCHES_MAX ? undefined : this.#lastSearches.keys().next().value;
    if (oldest !== undefined) this.#lastSearches.delete(oldest);
    this.#lastSearches.set(groupId, { startedMs, version });
  }

  #finish(group: ConsumerGroup, search: RegexSearch, records: GroupRecord[]): void {
    const { groupId, groupEpoch } = group;
    const subscriptions = group.subscriptions.copy();
    let isChanged = false;
    for (const [regex, names] of search.found) {
      if (!group.subscriptions.regexes.has(regex)) continue;
      const old = group.subscriptions.resolved.get(regex);
      const resolved: ResolvedRegex = { topicNames: new Set(names), version: search.version, timestampMs: search.startedMs };
      const isSame = isSameSet(old?.topicNames ?? new Set(), resolved.topicNames);
      if (!isSame) isChanged = true;
      if (old !== undefined && isSame && search.startedMs < old.timestampMs + this.#config.consumer.regexRefreshIntervalMs) continue;
      subscriptions.resolve(regex, resolved);
      records.push(regexRecord(groupId, regex, resolved));
    }
    const metadataHash = this.#rebalance.hashOf(subscriptions);
    if (isChanged || metadataHash !== group.metadataHash) records.push(epochRecord(groupId, groupEpoch + 1, metadataHash));
  }
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((name) => b.has(name));
}
