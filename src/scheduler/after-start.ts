// What a worker loads behind its first answers, so that a start does not wait for it: what makes the many answers after those cheap.
// Runs on: a worker's thread.
import { crc32cImplementation } from '../base/crc32c.ts';
import { setTimeout } from '../base/timers.ts';
import { send } from '../native/send.ts';

/** Together some 10 ms of the thread's time. */
const LOADED_AFTER_MS = 400;

/** Loads it a little later, where nobody has needed it by then. */
export function loadAfterStart(): void {
  setTimeout(() => {
    crc32cImplementation();
    send();
  }, LOADED_AFTER_MS).unref();
}
