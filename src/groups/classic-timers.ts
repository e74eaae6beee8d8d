// Names of the classic protocol's timers.
// Pure.
import { type GroupTimer, parseTimerKey, timerKey } from './timer-keys.ts';

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
  return timerKey(PREFIX, timer, groupId, memberId);
}

export function isClassicTimer(key: string): boolean {
  return key.startsWith(PREFIX);
}

export function parseClassicTimer(key: string): GroupTimer {
  return parseTimerKey(PREFIX, key);
}
