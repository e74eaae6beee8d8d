// What the members of a consumer group subscribe to, counted: topics by name, regular expressions, and the topics these were found to mean.
// Invariants: no count is 0; a topic counts once for each regular expression that means it, whatever the number of its subscribers.
// Pure.
import { type MemberMetadata, regexOf } from './consumer-member.ts';

export interface ResolvedRegex {
  readonly topicNames: ReadonlySet<string>;
  /** Version of the topics that were looked through. */
  readonly version: number;
  readonly timestampMs: number;
}

interface TopicCount {
  readonly byName: number;
  readonly byRegex: number;
}

export class ConsumerSubscriptions {
  readonly #topics = new Map<string, TopicCount>();
  readonly #regexes = new Map<string, number>();
  readonly #resolved = new Map<string, ResolvedRegex>();

  copy(): ConsumerSubscriptions {
    const copy = new ConsumerSubscriptions();
    for (const [name, counts] of this.#topics) copy.#topics.set(name, counts);
    for (const [regex, subscribers] of this.#regexes) copy.#regexes.set(regex, subscribers);
    for (const [regex, resolved] of this.#resolved) copy.#resolved.set(regex, resolved);
    return copy;
  }

  has(topicName: string): boolean {
    return this.#topics.has(topicName);
  }

  topicNames(): Iterable<string> {
    return this.#topics.keys();
  }

  get regexes(): ReadonlyMap<string, number> {
    return this.#regexes;
  }

  get resolved(): ReadonlyMap<string, ResolvedRegex> {
    return this.#resolved;
  }

  /** Null: nobody, who comes or who goes. */
  change(from: MemberMetadata | null, to: MemberMetadata | null): void {
    if (from?.subscribedTopicNames !== to?.subscribedTopicNames) {
      for (const name of from?.subscribedTopicNames ?? []) this.#count(name, -1, 0);
      for (const name of to?.subscribedTopicNames ?? []) this.#count(name, 1, 0);
    }
    const oldRegex = from === null ? null : regexOf(from);
    const newRegex = to === null ? null : regexOf(to);
    if (oldRegex === newRegex) return;
    if (oldRegex !== null) this.#countRegex(oldRegex, -1);
    if (newRegex !== null) this.#countRegex(newRegex, 1);
  }

  /** Null: not resolved. */
  resolve(regex: string, resolved: ResolvedRegex | null): void {
    for (const name of this.#resolved.get(regex)?.topicNames ?? []) this.#count(name, 0, -1);
    this.#resolved.delete(regex);
    if (resolved === null) return;
    this.#resolved.set(regex, resolved);
    for (const name of resolved.topicNames) this.#count(name, 0, 1);
  }

  /** Regular expressions that are resolved and that nobody subscribes to any more. */
  unusedRegexes(): string[] {
    return [...this.#resolved.keys()].filter((regex) => !this.#regexes.has(regex));
  }

  #count(name: string, byName: number, byRegex: number): void {
    const count = this.#topics.get(name);
    const next = { byName: (count?.byName ?? 0) + byName, byRegex: (count?.byRegex ?? 0) + byRegex };
    if (next.byName <= 0 && next.byRegex <= 0) this.#topics.delete(name);
    else this.#topics.set(name, next);
  }

  #countRegex(regex: string, by: number): void {
    const count = (this.#regexes.get(regex) ?? 0) + by;
    if (count <= 0) this.#regexes.delete(regex);
    else this.#regexes.set(regex, count);
  }

  /** The topics of one member, by name and by regular expression; each once. */
  topicNamesOf(metadata: MemberMetadata): readonly string[] {
    const regex = regexOf(metadata);
    const found = regex === null ? undefined : this.#resolved.get(regex)?.topicNames;
    if (found === undefined || found.size === 0) return metadata.subscribedTopicNames;
    if (metadata.subscribedTopicNames.length === 0) return [...found];
    return [...new Set([...metadata.subscribedTopicNames, ...found])];
  }

  /** Whether all members subscribe to the same: the same names, or one and the same regular expression and no names. */
  isAlike(memberCount: number): boolean {
    const [regexCount] = this.#regexes.values();
    if (regexCount === undefined) {
      for (const { byName } of this.#topics.values()) if (byName !== memberCount) return false;
      return true;
    }
    if (regexCount !== memberCount) return false;
    for (const { byName, byRegex } of this.#topics.values()) if (byRegex !== 1 || byName > 0) return false;
    return true;
  }
}
