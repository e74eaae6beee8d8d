// Node's timers and its monotonic clock as they were when this was loaded. A test that holds time still puts others in their place, in
// `node:timers` as well; a broker in its thread goes on. And the global `performance` is an accessor, which each use would call.
// Runs on: any thread. Not for actors, who ask their runtime.

export const { clearTimeout, performance, setImmediate, setTimeout } = globalThis;
