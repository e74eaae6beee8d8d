// Pure.

/** The log says something that cannot be: it was written by a broken program, or is not the one it is taken for. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly code = 'ERR_METADATA_LOG';
}
