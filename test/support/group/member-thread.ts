// A consumer in a thread of its own, so that it can be killed without a word, as a crash does.
import { parentPort, workerData } from 'node:worker_threads';
import { join, type MemberOptions } from './member.ts';

const leave = await join(workerData as MemberOptions, (record) => parentPort?.postMessage(record));
parentPort?.once('message', () => {
  void leave().then(() => parentPort?.postMessage('left'));
});
