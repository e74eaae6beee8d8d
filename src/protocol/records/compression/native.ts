// Reaches codec libraries that may be missing, each loaded when first asked for. NARU_NATIVE=off hides the native ones.
// Runs on: clients, tools, pool threads. Not the FFI: that is src/native.
import { createRequire } from 'node:module';

/** A library's function over whole arrays. */
export type NativeFunction = (bytes: Uint8Array) => Uint8Array;

const require = createRequire(import.meta.url);
const loaded = new Map<string, NativeFunction | null>();

/** The function `name` of `library`, or null where it is missing or hidden. Nothing is tried twice. */
export function loadNative(library: string, name: string): NativeFunction | null {
  if (process.env.NARU_NATIVE === 'off') return null;
  const key = `${library}.${name}`;
  let found = loaded.get(key);
  if (found === undefined) {
    found = load(library, name);
    loaded.set(key, found);
  }
  return found;
}

function load(library: string, name: string): NativeFunction | null {
  try {
    const module: unknown = require(library);
    const member: unknown = typeof module === 'object' && module !== null ? Reflect.get(module, name) : null;
    return typeof member === 'function' ? (bytes) => member(bytes) : null;
  } catch {
    return null; // Not installed, or not built for this platform.
  }
}
