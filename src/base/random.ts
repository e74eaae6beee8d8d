// Randomness behind an interface: production draws from the operating system, the simulator from its seed.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface Random {
  /** A whole number in [0, bound), bound between 1 and 2^32. */
  below(bound: number): number;
  /** Fills all of `target` with random bytes. */
  fill(target: Uint8Array<ArrayBuffer>): void;
}

/** The operating system's generator as a file. Node's own way to it takes 5 ms to load, for which a start would wait. */
const DEVICE = '/dev/urandom';

/** False where there is no such file, or somebody's ordinary one: then its bytes are known. */
function readDevice(path: string, target: Uint8Array<ArrayBuffer>): boolean {
  try {
    const device = openSync(path, 'r');
    try {
      return fstatSync(device).isCharacterDevice() && readSync(device, target) === target.length;
    } finally {
      closeSync(device);
    }
  } catch {
    return false;
  }
}

/** Draws from the device at `path`, from Node's own generator where that is none. */
export function deviceRandom(path: string): Random {
  return {
    below(bound) {
      const word = new Uint32Array(1);
      this.fill(new Uint8Array(word.buffer));
      return Math.floor(((word[0] as number) / 2 ** 32) * bound);
    },
    fill(target) {
      if (!readDevice(path, target)) crypto.getRandomValues(target);
    },
  };
}

export const systemRandom: Random = deviceRandom(DEVICE);

/** A small seeded generator (splitmix32): the same seed gives the same draws on every machine. Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return {
    below: (bound) => Math.floor((next() / 2 ** 32) * bound),
    fill(target) {
      for (let i = 0; i < target.length; i++) target[i] = next() >>> 24;
    },
  };
}
