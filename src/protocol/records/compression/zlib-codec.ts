// What gzip and zstd share: both are Node's own, loaded when first used, bounded by maxOutputLength.
// Runs on: clients, tools, pool threads.
import { createRequire } from 'node:module';
import { CompressionError, corrupt, tooLarge } from './errors.ts';

type Zlib = typeof import('node:zlib');

const require = createRequire(import.meta.url);
let zlib: Zlib | null = null;

export function loadZlib(): Zlib {
  zlib ??= require('node:zlib') as Zlib;
  return zlib;
}

/** Runs a decompressing call of node:zlib and says what went wrong in our words. Throws CompressionError. */
export function inflate(codec: string, limitBytes: number, run: (maxOutputLength: number) => Uint8Array): Uint8Array {
  try {
    const content = run(Math.max(limitBytes, 1)); // Node refuses a limit of 0.
    if (content.length <= limitBytes) return content;
  } catch (cause) {
    if (member(cause, 'code') !== 'ERR_BUFFER_TOO_LARGE') throw corrupt(codec, `${member(cause, 'message')}`, cause);
  }
  throw tooLarge(codec, limitBytes);
}

function member(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}

export function unavailable(codec: string): CompressionError {
  return new CompressionError(codec, 'unavailable', `this Node (${process.version}) has no ${codec}`);
}
