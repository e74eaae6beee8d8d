// Where the module of a pool thread is: beside this one, whether it is bundled or not.
import { extname } from 'node:path';

export const POOL_ENTRY = new URL(`./pool-main${extname(import.meta.filename)}`, import.meta.url);
