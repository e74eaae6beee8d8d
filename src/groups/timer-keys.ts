// Names of the groups' timers. A group id may hold any character, so its length stands before it.
// Pure.

export interface GroupTimer {
  readonly timer: string;
  readonly groupId: string;
  readonly memberId: string;
}

/** `prefix` says whose timers these are; it and `timer` have no '/' but at the prefix's end. */
export function timerKey(prefix: string, timer: string, groupId: string, memberId: string): string {
  return `${prefix}${timer}/${groupId.length}/${groupId}/${memberId}`;
}

/** What timerKey was given, of a key that begins with `prefix`. */
export function parseTimerKey(prefix: string, key: string): GroupTimer {
  const timerEnd = key.indexOf('/', prefix.length);
  const lengthEnd = key.indexOf('/', timerEnd + 1);
  const groupEnd = lengthEnd + 1 + Number(key.slice(timerEnd + 1, lengthEnd));
  return { timer: key.slice(prefix.length, timerEnd), groupId: key.slice(lengthEnd + 1, groupEnd), memberId: key.slice(groupEnd + 1) };
}
