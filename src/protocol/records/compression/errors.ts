// The one error that compressing and decompressing records throw, whatever the codec and whichever library does the work.
// Pure.

/**
 * `unavailable`: the codec's library or Node's own part is missing here. `corrupt`: the bytes are none of this codec's.
 * `too-large`: they would decompress to more than the limit. `unknown`: no such codec.
 */
export type CompressionFailure = 'unavailable' | 'corrupt' | 'too-large' | 'unknown';

export class CompressionError extends Error {
  override readonly name = 'CompressionError';
  readonly code = 'ERR_COMPRESSION';
  readonly failure: CompressionFailure;
  /** The codec's name, as in `compression.type`. */
  readonly codec: string;
  constructor(codec: string, failure: CompressionFailure, detail: string, cause?: unknown) {
    super(`${codec}: ${detail}`, cause === undefined ? {} : { cause });
    this.codec = codec;
    this.failure = failure;
  }
}

export function corrupt(codec: string, detail: string, cause?: unknown): CompressionError {
  return new CompressionError(codec, 'corrupt', detail, cause);
}

export function tooLarge(codec: string, limitBytes: number): CompressionError {
  return new CompressionError(codec, 'too-large', `decompresses to more than ${limitBytes} bytes`);
}
