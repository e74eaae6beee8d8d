// Preloaded into a broker's threads (NODE_OPTIONS=--import=…), so that a worker can be made to die without a hook in the product:
// once the file NARU_TEST_SABOTAGE_FILE appears, worker 1 does what it says, or throws when it is told to stop. With NARU_TEST_LAST_LINES it
// writes so many lines to the log in the last turn before it dies, or before its thread ends in order.
import { existsSync, readFileSync } from 'node:fs';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

const WORKER = 1;
const file = process.env.NARU_TEST_SABOTAGE_FILE;
const lineCount = Number(process.env.NARU_TEST_LAST_LINES ?? 0);

function say() {
  for (let i = 0; i < lineCount; i++) {
    const line = { level: 'warn', timestampMs: Date.now(), component: 'log', message: `last words ${i}`, fields: {} };
    parentPort.postMessage({ type: 'message', message: { type: 'log', line } });
  }
}

if (!isMainThread && file !== undefined && workerData?.workerIndex === WORKER) {
  const timer = setInterval(() => {
    if (!existsSync(file)) return;
    clearInterval(timer);
    const what = readFileSync(file, 'utf8');
    say();
    if (what === 'throw') throw new Error('sabotaged');
    if (what === 'reject') void Promise.reject(new Error('sabotaged'));
    if (what === 'exit') process.exit(0);
  }, 10);
  timer.unref();
  parentPort.on('message', (message) => {
    if (message.type === 'exit') say(); // Heard here first: the thread ends when the broker's own listener hears it.
    if (message.type === 'stop' && existsSync(file) && readFileSync(file, 'utf8') === 'stop') throw new Error('sabotaged');
  });
}
