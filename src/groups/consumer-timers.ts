// The timers of consumer groups, and which of them are set. A group id may hold any character, so its length stands before it.
// Pure.
import type { ShardEnvironment } from '../coordinator/shard.ts';
import type { GroupConfig } from './group-config.ts';
import { type GroupTimer, parseTimerKey, timerKey } from './timer-keys.ts';

const PREFIX = 'consumer/';

export type ConsumerTimer =
  /** A member has not been heard from. */
  | 'session'
  /** A member has not given up in time what it is to lose. */
  | 'rebalance'
  /** A classic member was told to join again and has not. */
  | 'join'
  /** A classic member has joined and not asked for its assignment. */
  | 'sync'
  /** The group's regular expressions are to be looked at. */
  | 'regex';

export function consumerTimerKey(timer: ConsumerTimer, groupId: string, memberId = ''): string {
  return timerKey(PREFIX, timer, groupId, memberId);
}

export function isConsumerTimer(key: string): boolean {
  return key.startsWith(PREFIX);
}

export function parseConsumerTimer(key: string): GroupTimer {
  return parseTimerKey(PREFIX, key);
}

export class ConsumerTimers {
  readonly #environment: ShardEnvironment;
  readonly #config: GroupConfig;
  /** The epoch that a member must leave before its rebalance timer, by the timer's key. */
  readonly #epochToLeave = new Map<string, number>();
  readonly #joins = new Set<string>();

  constructor(environment: ShardEnvironment, config: GroupConfig) {
    this.#environment = environment;
    this.#config = config;
  }

  sessionTimeoutMs(groupId: string): number {
    const { sessionTimeoutMs, sessionTimeoutMinMs, sessionTimeoutMaxMs } = this.#config.consumer;
    const own = this.#own(groupId, 'consumer.session.timeout.ms');
    return own === null ? sessionTimeoutMs : Math.min(Math.max(own, sessionTimeoutMinMs), sessionTimeoutMaxMs);
  }

  heartbeatIntervalMs(groupId: string): number {
    const { heartbeatIntervalMs, heartbeatIntervalMinMs, heartbeatIntervalMaxMs } = this.#config.consumer;
    const own = this.#own(groupId, 'consumer.heartbeat.interval.ms');
    return own === null ? heartbeatIntervalMs : Math.min(Math.max(own, heartbeatIntervalMinMs), heartbeatIntervalMaxMs);
  }

  assignmentIntervalMs(groupId: string): number {
    return this.#own(groupId, 'consumer.assignment.interval.ms') ?? this.#config.consumer.assignmentIntervalMs;
  }

  #own(groupId: string, name: string): number | null {
    const configs = this.#config.ofGroup(groupId);
    const text = configs.size === 0 ? undefined : configs.get(name);
    return text === undefined ? null : Number(text);
  }

  renewSession(sessionKey: string, timeoutMs: number): void {
    this.#environment.timers.set(sessionKey, timeoutMs);
  }

  setRebalance(groupId: string, memberId: string, memberEpoch: number, timeoutMs: number): void {
    const key = consumerTimerKey('rebalance', groupId, memberId);
    this.#epochToLeave.set(key, memberEpoch);
    this.#environment.timers.set(key, timeoutMs);
  }

  /** Sets it where it does not run for that epoch. */
  keepRebalance(groupId: string, memberId: string, memberEpoch: number, timeoutMs: number): void {
    const key = consumerTimerKey('rebalance', groupId, memberId);
    if (this.#epochToLeave.get(key) !== memberEpoch) this.setRebalance(groupId, memberId, memberEpoch, timeoutMs);
  }

  cancelRebalance(groupId: string, memberId: string): void {
    // Mostly there is none at all.
    if (this.#epochToLeave.size === 0) return;
    const key = consumerTimerKey('rebalance', groupId, memberId);
    if (this.#epochToLeave.delete(key)) this.#environment.timers.cancel(key);
  }

  /** The timer fired: the epoch that the member should have left. */
  takeRebalance(key: string): number | undefined {
    const epoch = this.#epochToLeave.get(key);
    this.#epochToLeave.delete(key);
    return epoch;
  }

  /** One that runs goes on. */
  setJoin(groupId: string, memberId: string, timeoutMs: number): void {
    const key = consumerTimerKey('join', groupId, memberId);
    if (this.#joins.has(key)) return;
    this.#joins.add(key);
    this.#environment.timers.set(key, timeoutMs);
  }

  cancelJoin(groupId: string, memberId: string): void {
    const key = consumerTimerKey('join', groupId, memberId);
    if (this.#joins.delete(key)) this.#environment.timers.cancel(key);
  }

  joinFired(key: string): void {
    this.#joins.delete(key);
  }

  setSync(groupId: string, memberId: string, timeoutMs: number): void {
    this.#environment.timers.set(consumerTimerKey('sync', groupId, memberId), timeoutMs);
  }

  cancelSync(groupId: string, memberId: string): void {
    this.#environment.timers.cancel(consumerTimerKey('sync', groupId, memberId));
  }

  cancelAll(groupId: string, memberId: string): void {
    this.#environment.timers.cancel(consumerTimerKey('session', groupId, memberId));
    this.cancelRebalance(groupId, memberId);
    this.cancelJoin(groupId, memberId);
    this.cancelSync(groupId, memberId);
  }
}
