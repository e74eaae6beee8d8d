// The entry of a worker thread.
import { runWorker } from '../scheduler/worker-runtime.ts';
import { POOL_ENTRY } from './pool-entry.ts';
import { createBrokerWorker } from './worker.ts';

runWorker(createBrokerWorker, { poolEntry: POOL_ENTRY });
