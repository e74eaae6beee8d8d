// Regular expressions that members subscribe with, in RE2's syntax and with its promise: time linear in the text, whatever the pattern.
// Pure. Source: KIP-848, "Regular expressions": a topic is meant where the whole of its name matches.
import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js';

export interface SubscriptionRegex {
  matches(topicName: string): boolean;
}

/** Compiled patterns are kept for as long as somebody asks for one of the last few. */
const COMPILED_COUNT_MAX = 64;
const compiled = new Map<string, RE2JS>();

/** The compiled pattern, or why it is none. */
export function compileRegex(pattern: string): { readonly regex: SubscriptionRegex } | { readonly reason: string } {
  const known = compiled.get(pattern);
  if (known !== undefined) return { regex: known };
  try {
    const regex = RE2JS.compile(pattern);
    const oldest = compiled.size < COMPILED_COUNT_MAX ? undefined : compiled.keys().next().value;
    if (oldest !== undefined) compiled.delete(oldest);
    compiled.set(pattern, regex);
    return { regex };
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return { reason: error.error };
    if (error instanceof RE2JSException) return { reason: error.message };
    throw error;
  }
}

/**
 * Looks for the topics of several patterns, piece by piece, so that neither many topics nor many patterns hold up the turn.
 * The names are those that there were at the start; one that is gone by the end is found at the next look.
 */
export class RegexSearch {
  readonly patterns: readonly string[];
  /** Version of the topics that are looked through. */
  readonly version: number;
  readonly startedMs: number;
  readonly found = new Map<string, string[]>();
  readonly #regexes: { readonly regex: SubscriptionRegex; readonly names: string[] }[] = [];
  readonly #names: string[];
  #next = 0;

  constructor(patterns: readonly string[], names: Iterable<string>, version: number, startedMs: number) {
    this.patterns = patterns;
    this.version = version;
    this.startedMs = startedMs;
    this.#names = [...names];
    for (const pattern of patterns) {
      const found: string[] = [];
      this.found.set(pattern, found);
      const result = compileRegex(pattern);
      // Another broker may have let a pattern in that this one cannot read: it finds nothing.
      if ('regex' in result) this.#regexes.push({ regex: result.regex, names: found });
    }
  }

  /** Goes on for about `matchCount` matches; true when all is looked through. Then the names that were found are sorted. */
  advance(matchCount: number): boolean {
    const topicCount = Math.max(1, Math.floor(matchCount / Math.max(1, this.#regexes.length)));
    const end = Math.min(this.#next + topicCount, this.#names.length);
    for (; this.#next < end; this.#next++) {
      const name = this.#names[this.#next] as string;
      for (const { regex, names } of this.#regexes) if (regex.matches(name)) names.push(name);
    }
    if (this.#next < this.#names.length) return false;
    for (const names of this.found.values()) names.sort();
    return true;
  }
}
