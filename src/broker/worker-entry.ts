// Where the module of a worker thread is: beside this one, whether it is bundled or not.
import { extname } from 'node:path';

export const WORKER_ENTRY = new URL(`./worker-main${extname(import.meta.filename)}`, import.meta.url);
