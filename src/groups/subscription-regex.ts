// Regular expressions that members subscribe with, in RE2's syntax and with its promise: time linear in the text, whatever the pattern.
// Pure. Source: KIP-848, "Regular expressions": a topic is meant where the whole of its name matches.

export interface SubscriptionRegex {
  matches(topicName: string): boolean;
  /** Steps of the compiled pattern: what a character of a name may cost. */
  programSize(): number;
}

/**
 * The longest pattern that is taken. Linear in the text is not cheap by itself: a match takes up to 0.1 µs for each character of the name
 * times each of the pattern, and compiling 32,000 characters takes up to two seconds.
 */
export const PATTERN_CHARACTERS_MAX = 512;
/** The largest program that a pattern may become: repetitions make much of few characters. */
const PROGRAM_SIZE_MAX = 1024;
/** Compiled patterns are kept for as long as somebody asks for one of the last few. */
const COMPILED_COUNT_MAX = 64;
/** As many steps as a match costs beside its pattern's. */
const MATCH_COST = 16;

/** A pattern compiled, or why it is none. */
export type CompiledRegex = { readonly regex: SubscriptionRegex } | { readonly reason: string };

/** What knows the syntax. Given to this folder, which loads nothing by itself. */
export interface RegexEngine {
  compile(pattern: string): CompiledRegex;
}

/** Patterns within their bounds; those that were used last are kept compiled. */
export class RegexCompiler {
  readonly #engine: RegexEngine;
  readonly #compiled = new Map<string, CompiledRegex>();

  constructor(engine: RegexEngine) {
    this.#engine = engine;
  }

  compile(pattern: string): CompiledRegex {
    const known = this.#compiled.get(pattern);
    if (known !== undefined) return known;
    if (pattern.length > PATTERN_CHARACTERS_MAX) {
      return { reason: `expression of ${pattern.length} characters, at most ${PATTERN_CHARACTERS_MAX} are allowed` };
    }
    const made = this.#engine.compile(pattern);
    if ('reason' in made) return made;
    if (made.regex.programSize() > PROGRAM_SIZE_MAX) return { reason: 'expression too large' };
    const oldest = this.#compiled.size < COMPILED_COUNT_MAX ? undefined : this.#compiled.keys().next().value;
    if (oldest !== undefined) this.#compiled.delete(oldest);
    this.#compiled.set(pattern, made);
    return made;
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
  /** Of one character of a name: all patterns' steps, and what a match costs whatever its pattern. */
  readonly #nameCost: number;
  #next = 0;

  constructor(compiler: RegexCompiler, patterns: readonly string[], names: Iterable<string>, version: number, startedMs: number) {
    this.patterns = patterns;
    this.version = version;
    this.startedMs = startedMs;
    this.#names = [...names];
    for (const pattern of patterns) {
      const found: string[] = [];
      this.found.set(pattern, found);
      const result = compiler.compile(pattern);
      // Another broker may have let a pattern in that this one cannot read: it finds nothing.
      if ('regex' in result) this.#regexes.push({ regex: result.regex, names: found });
    }
    this.#nameCost = this.#regexes.reduce((sum, { regex }) => sum + regex.programSize() + MATCH_COST, 0);
  }

  /** Goes on for about `cost` characters of names times steps of patterns; true when all is looked through. Then the names are sorted. */
  advance(cost: number): boolean {
    for (let spent = 0; spent < cost && this.#next < this.#names.length; this.#next++) {
      const name = this.#names[this.#next] as string;
      for (const { regex, names } of this.#regexes) if (regex.matches(name)) names.push(name);
      spent += this.#nameCost * name.length;
    }
    if (this.#next < this.#names.length) return false;
    for (const names of this.found.values()) names.sort();
    return true;
  }
}
