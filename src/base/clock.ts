// Time behind an interface: production reads the system's clock, the simulator its own virtual one.
// Pure (the interface); the system's clock is the one implementation that reads the machine.

export interface Clock {
  /** Wall clock in milliseconds since the Unix epoch: record timestamps, file times. May jump. */
  wallMs(): number;
  /** Monotonic milliseconds, with a fraction, from an arbitrary origin: timers, latencies. Never runs back. */
  monotonicMs(): number;
}

// The global is an accessor, which each use would call.
const timer = performance;

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => timer.now(),
};
