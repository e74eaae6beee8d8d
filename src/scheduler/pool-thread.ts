// What a module needs whose functions are the jobs of a pool's threads.
// Runs on: pool threads. Not here: who starts them (pool.ts).
import { move, transferableSymbol, valueSymbol } from 'piscina';

/** A result with a buffer in it that is handed over, not copied. */
class HandedOver {
  readonly [transferableSymbol]: ArrayBuffer[];
  readonly [valueSymbol]: unknown;

  constructor(result: unknown, buffer: ArrayBuffer) {
    this[transferableSymbol] = [buffer];
    this[valueSymbol] = result;
  }
}

/** `job` for the pool: the buffer that `bufferOf` names of its result, if any, is moved to the one who asked. */
export function handingOver<Task, Result>(job: (task: Task) => Result, bufferOf: (result: Result) => ArrayBuffer | null) {
  return (task: Task): unknown => {
    const result = job(task);
    const buffer = bufferOf(result);
    return buffer === null ? result : move(new HandedOver(result, buffer) as unknown as ArrayBuffer);
  };
}
