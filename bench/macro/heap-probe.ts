// Preloaded into the threads of a broker (NODE_OPTIONS=--import=FILE), so that somebody outside can ask how its heaps stand: at SIGUSR2
// each thread writes one line, `heap {…}`, with what it has allocated so far and what is left of that after a collection of everything.
// Not asked, it costs nothing.
import { writeSync } from 'node:fs';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

/** One line of the probe, in bytes. */
export interface HeapState {
  readonly thread: number;
  /** Since the thread began. */
  readonly allocatedBytes: number;
  /** Alive, on the heap and held by it outside of it. */
  readonly usedBytes: number;
  readonly externalBytes: number;
}

function tell(): void {
  const { total_allocated_bytes: allocatedBytes } = getHeapStatistics();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect(); // What finalizers let go of in the first one.
  const { used_heap_size: usedBytes, external_memory: externalBytes } = getHeapStatistics();
  writeSync(1, `heap ${JSON.stringify({ thread: threadId, allocatedBytes, usedBytes, externalBytes } satisfies HeapState)}\n`);
}

const channel = new BroadcastChannel('heap-probe');
channel.onmessage = tell;
channel.unref();
if (isMainThread) {
  process.on('SIGUSR2', () => {
    channel.postMessage(null); // Heard by the other threads alone.
    tell();
  });
}
