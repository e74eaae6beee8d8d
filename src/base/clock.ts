// Time behind an interface: production reads the system's clock, the simulator its own virtual one.
// Pure (the interface); the system's clock is the one implementation that reads the machine.
import { performance } from './timers.ts';

export interface Clock {
  /** Wall clock in milliseconds since the Unix epoch: record timestamps, file times. May jump. */
  wallMs(): number;
  /** Monotonic milliseconds, with a fraction, from an arbitrary origin: timers, latencies. Never runs back. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
