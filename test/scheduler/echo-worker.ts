// The entry of the worker threads in these tests: answers requests of other workers, does on command what real workers must not.

import { runWorker } from '../../src/scheduler/worker-runtime.ts';
import { echoApp } from './echo-app.ts';

runWorker(echoApp);
