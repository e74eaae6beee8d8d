// Assertions: they stay on in production. A failed one is a programmer's error and stops the broker instance;
// nothing that comes from the network, the disk or a configuration may reach one.
// Pure.

/** A fact of our own code did not hold. Never caught on the way up: the owner of the broker instance stops it. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
  readonly code = 'ERR_ASSERTION';
}

/**
 * Throws AssertionError with `message` unless `condition` holds. The message is made in any case: on a hot path one with figures in it costs
 * more than the rest of the call, and stands behind an `if` in `unreachable`.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** For the branch that cannot be reached. */
export function unreachable(message: string): never {
  throw new AssertionError(message);
}
