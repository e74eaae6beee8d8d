// The entry of the worker threads in these tests.
import { MemoryStorage } from '../../src/log/memory-storage.ts';
import { runWorker } from '../../src/scheduler/worker-runtime.ts';
import { toyApp } from './toy-app.ts';

runWorker(toyApp, { storage: new MemoryStorage() });
