// The one door to koffi, and so to calls of the C library that Node does not have. Everything here is optional: a function
// that cannot be had (switched off, no koffi, another platform, a self-test that fails) is null, never an exception.
// Invariants: koffi is loaded by the first function that is asked for, not before, and never when native calls are off; calls
// are synchronous; buffers are preallocated, module-level, and passed anew with each call: no raw address is kept.
// (Asynchronous calls with a buffer that nothing else holds crashed 18 of 32 runs.)
// Runs on: any thread, each with its own instance.
import { createRequire } from 'node:module';

/** A value that crosses to C: a scalar, a buffer (its address), text, or structures that are written out for the call alone. */
export type NativeValue = number | Uint8Array | BigInt64Array | BigUint64Array | string | null | readonly Record<string, NativeValue>[];
export type NativeFunction = (...values: readonly NativeValue[]) => number;
/** A type of koffi's own: what `struct` and `pointer` give. */
type NativeType = object | string;

/** As much of koffi as is used. */
interface Koffi {
  load(path: string | null): {
    func(prototype: string): NativeFunction;
    func(name: string, result: NativeType, parameters: readonly NativeType[]): NativeFunction;
  };
  struct(members: Record<string, NativeType>): NativeType;
  pointer(type: NativeType): NativeType;
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

/** Whether this thread has loaded koffi, or tried to: whoever asks for its first function waits for that, some 6 ms. */
export function isNativeLoaded(): boolean {
  return loaded !== undefined;
}

/**
 * Describes a call of the C library; what comes back gives the function that the rest of Naru calls, or null where there is
 * none. It is built when first asked for. `name` is what the boot line calls it; `build` declares it, tries it on a known
 * input, and gives null when the answer is not the known one.
 */
export function declareNative<T>(name: string, build: (library: NativeLibrary) => T | null): () => T | null {
  let built: T | null | undefined;
  return () => {
    if (!isEnabled) return null;
    if (built === undefined) built = buildNative(name, build);
    return built;
  };
}

function buildNative<T>(name: string, build: (library: NativeLibrary) => T | null): T | null {
  const koffi = loadKoffi();
  if (koffi === null) return null;
  try {
    const library = koffi.load(null); // What this process has loaded already: the C library among it.
    const built = build({
      declare: (prototype) => library.func(prototype),
      declareWithArray: (symbol, result, parameters, at, members) => {
        const types: NativeType[] = [...parameters];
        types[at] = koffi.pointer(koffi.struct(members));
        return library.func(symbol, result, types);
      },
      errno: () => koffi.errno(),
    });
    if (built !== null) answering.add(name);
    return built;
  } catch {
    return null; // A symbol that is not there, or a self-test that threw.
  }
}

export interface NativeLibrary {
  /** A function by its C prototype. */
  declare(prototype: string): NativeFunction;
  /** A function whose parameter `at` is an array of structures with these members. */
  declareWithArray(
    symbol: string,
    result: string,
    parameters: readonly string[],
    at: number,
    members: Record<string, string>,
  ): NativeFunction;
  /** Of the last call that failed. Read before anything else runs. */
  errno(): number;
}

/** Linux on a 64-bit machine with little-endian words: where the structures and numbers of these files hold. */
export const isKnownLinux = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');

/** Makes an anonymous file in memory for a self-test, hands it to `test` and closes it; false where there is none to be had. */
export function withMemoryFile(library: NativeLibrary, test: (descriptor: number) => boolean): boolean {
  const descriptor = library.declare('int memfd_create(const char *name, unsigned int flags)')('naru', 1); // MFD_CLOEXEC
  if (descriptor < 0) return false;
  try {
    return test(descriptor);
  } finally {
    library.declare('int close(int descriptor)')(descriptor);
  }
}

/** Names of the calls that this thread has asked for so far and that answer, sorted. For the boot line. */
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
