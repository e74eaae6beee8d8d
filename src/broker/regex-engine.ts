// The engine of subscriptions' regular expressions: RE2's syntax and its promise, time linear in the text. Loaded with the first pattern that
// anybody uses: most brokers never see one, and loading it takes milliseconds of each worker's start.
import { createRequire } from 'node:module';
import { RegexCompiler, type RegexEngine } from '../groups/subscription-regex.ts';

type Re2 = typeof import('re2js');

const require = createRequire(import.meta.url);
let loaded: Re2 | null = null;

const engine: RegexEngine = {
  compile(pattern) {
    loaded ??= require('re2js') as Re2;
    const { RE2JS, RE2JSException, RE2JSSyntaxException } = loaded;
    try {
      return { regex: RE2JS.compile(pattern) };
    } catch (error) {
      if (error instanceof RE2JSSyntaxException) return { reason: error.error };
      if (error instanceof RE2JSException) return { reason: error.message };
      throw error;
    }
  },
};

/** One per thread. */
export const regexes = new RegexCompiler(engine);
