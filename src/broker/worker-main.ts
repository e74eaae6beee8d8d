// The entry of a worker thread.
import { runWorker } from '../scheduler/worker-runtime.ts';
import { createBrokerWorker } from './worker.ts';

runWorker(createBrokerWorker);
