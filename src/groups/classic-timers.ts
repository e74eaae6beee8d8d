// Names of the classic protocol's timers. A group id may hold any character, so its length stands before it.
// Pure.

const PREFIX = 'classic/';

export type ClassicTimer =
  /** A member has not been heard from, or an id that was given out was not used. */
  | 'session'
  /** The round's members have had their time to join. */
  | 'join'
  /** The generation's members have had their time to sync. */
  | 'sync'
  /** A group that has just become a classic one begins a round. Set with no delay by who writes the group's first record. */
  | 'rebalance';

export function classicTimerKey(timer: ClassicTimer, groupId: string, memberId = ''): string {
  return `${PREFIX}${timer}/${groupId.length}/${groupId}/${memberId}`;
}

export function isClassicTimer(key: string): boolean {
  return key.startsWith(PREFIX);
}

export function parseClassicTimer(key: string): { readonly timer: string; readonly groupId: string; readonly memberId: string } {
  const timerEnd = key.indexOf('/', PREFIX.length);
  const lengthEnd = key.indexOf('/', timerEnd + 1);
  const groupEnd = lengthEnd + 1 + Number(key.slice(timerEnd + 1, lengthEnd));
  return { timer: key.slice(PREFIX.length, timerEnd), groupId: key.slice(lengthEnd + 1, groupEnd), memberId: key.slice(groupEnd + 1) };
}
