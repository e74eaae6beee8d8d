// The one door to koffi, and so to calls of the C library that Node does not have. Everything here is optional: a function
// that cannot be had (switched off, no koffi, another platform, a self-test that fails) is null, never an exception.
// Invariants: koffi is loaded by the first function that is asked for, not before, and never when native calls are off; calls
// are synchronous; buffers are preallocated, module-level, and passed anew with each call: no raw address is kept.
// (Asynchronous calls with a buffer that nothing else holds crashed 18 of 32 runs.)
// Runs on: any thread, each with its own instance.
import { createRequire } from 'node:module';

/** What is declared with a C prototype and called with scalars and buffers. */
export type NativeFunction = (...values: readonly (number | Uint8Array | null)[]) => number;

/** As much of koffi as is used. Its own types speak of more than that, and loading them is its business. */
interface Koffi {
  load(path: string | null): { func(prototype: string): NativeFunction };
  errno(): number;
}

let isEnabled = process.env.NARU_NATIVE !== 'off';
let loaded: Koffi | null | undefined;
const answering = new Set<string>();
const require = createRequire(import.meta.url);

/** Switches native calls on or off in this thread. Called before the first of them is asked for; NARU_NATIVE=off has the last word. */
export function configureNative(options: { readonly enabled: boolean }): void {
  isEnabled = options.enabled && process.env.NARU_NATIVE !== 'off';
}

export function isNativeEnabled(): boolean {
  return isEnabled;
}

/**
 * Declares a function of the C library, or gives null where there is none. `name` is what the boot line calls it; `build` makes
 * the function that the rest of Naru calls, and gives null when its self-test fails.
 */
export function declareNative<T>(name: string, build: (library: NativeLibrary) => T | null): T | null {
  const koffi = isEnabled ? loadKoffi() : null;
  if (koffi === null) return null;
  try {
    const library = koffi.load(null); // What this process has already loaded: the C library among it.
    const built = build({ declare: (prototype) => library.func(prototype), errno: () => koffi.errno() });
    if (built !== null) answering.add(name);
    return built;
  } catch {
    return null; // A symbol that is not there, or a self-test that threw.
  }
}

export interface NativeLibrary {
  declare(prototype: string): NativeFunction;
  /** Of the last call that failed. Read before anything else runs. */
  errno(): number;
}

/** Names of the calls that were asked for so far and that answer. */
export function nativeCalls(): string[] {
  return [...answering].sort();
}

function loadKoffi(): Koffi | null {
  if (loaded !== undefined) return loaded;
  try {
    const koffi: Koffi = require('koffi');
    loaded = koffi;
  } catch {
    loaded = null;
  }
  return loaded;
}
