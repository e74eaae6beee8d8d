// Every native call there is, asked for once: what the boot line says of this machine, whichever thread uses it later.
// Runs on: the main thread, when the broker is open. Takes 1 to 2 ms.
import { duplicateDescriptor } from './dup.ts';
import { isNativeEnabled, nativeCalls } from './load.ts';
import { posixLock } from './posix-lock.ts';
import { raiseDescriptorLimit } from './raise-descriptor-limit.ts';
import { rangeCached } from './range-cached.ts';
import { send } from './send.ts';
import { sendFile } from './sendfile.ts';

/** The names of those that answer, sorted; none where they are off. */
export function allNativeCalls(): readonly string[] {
  if (!isNativeEnabled()) return [];
  for (const call of [duplicateDescriptor, posixLock, raiseDescriptorLimit, rangeCached, send, sendFile]) call();
  return nativeCalls();
}
