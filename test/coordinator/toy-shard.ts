// A shard that keeps texts by key, asked through messages of groups:
//   SyncGroup       keeps `assignment` under the group's id (a record), and answers with it
//   Heartbeat       NONE where the key is there, else UNKNOWN_MEMBER_ID: a read
//   JoinGroup       waits: for LeaveGroup of the same group, or, where it has a session timeout, for that time
//   LeaveGroup      answers all that wait for its group, in the order in which they came, then itself; keeps "left" (a record)

import { ByteReader } from '../../src/base/byte-reader.ts';
import type { Answer, CoordinatorShard, Decision, Question, RecordCodec, ShardEnvironment } from '../../src/coordinator/shard.ts';
import { nothing } from '../../src/coordinator/shard.ts';
import { API } from '../../src/protocol/api-keys.ts';
import { heartbeatResponse } from '../../src/protocol/apis/heartbeat.ts';
import { type JoinGroupRequest, joinGroupResponse } from '../../src/protocol/apis/join-group.ts';
import { type LeaveGroupRequest, leaveGroupResponse } from '../../src/protocol/apis/leave-group.ts';
import { type SyncGroupRequest, syncGroupResponse } from '../../src/protocol/apis/sync-group.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { message } from '../support/messages.ts';

export interface ToyRecord {
  readonly key: string;
  /** Null removes the key. */
  readonly value: string | null;
}

/** Keys start with their version, as those of Kafka do; others than 1 are unknown. */
export const toyCodec: RecordCodec<ToyRecord> = {
  keyBytes: ({ key }) => 2 + Buffer.byteLength(key),
  valueBytes: ({ value }) => (value === null ? -1 : Buffer.byteLength(value)),
  writeKey({ key }, writer) {
    writer.int16(1);
    writer.raw(Buffer.from(key));
  },
  writeValue({ value }, writer) {
    writer.raw(Buffer.from(value ?? ''));
  },
  decode(key, value) {
    const reader = new ByteReader(key);
    if (reader.int16() !== 1) return null;
    return { key: Buffer.from(key.subarray(2)).toString(), value: value === null ? null : Buffer.from(value).toString() };
  },
};

/** The key whose record is larger than its shard said it would decide on. */
export const OVERSIZED = 'oversized';

interface Waiting {
  readonly token: number;
  readonly groupId: string;
  readonly timer: string;
}

export class ToyShard implements CoordinatorShard<ToyRecord> {
  readonly state = new Map<string, string>();
  replayed = 0;
  loaded = 0;
  readonly topicChanges: string[][] = [];
  readonly environment: ShardEnvironment;
  #waiting: Waiting[] = [];

  constructor(environment: ShardEnvironment) {
    this.environment = environment;
  }

  replay({ key, value }: ToyRecord): void {
    this.replayed++;
    if (value === null) this.state.delete(key);
    else this.state.set(key, value);
  }

  onLoaded(): Decision<ToyRecord> {
    this.loaded++;
    return nothing();
  }

  ask(question: Question): Decision<ToyRecord> {
    const { token, apiKey, body } = question;
    switch (apiKey) {
      case API.SyncGroup: {
        const { groupId, assignments } = body as SyncGroupRequest;
        const bytes = assignments[0]?.assignment ?? new Uint8Array(0);
        const value = groupId === OVERSIZED ? 'x'.repeat(this.environment.recordBytesMax + 1000) : Buffer.from(bytes).toString();
        const answer = { token, body: message(syncGroupResponse, { assignment: Buffer.from(value) }) };
        return { records: [{ key: groupId, value }], answers: [answer] };
      }
      case API.Heartbeat: {
        const { groupId } = body as { groupId: string };
        const errorCode = this.state.has(groupId) ? ERROR.NONE : ERROR.UNKNOWN_MEMBER_ID;
        return { records: [], answers: [{ token, body: message(heartbeatResponse, { errorCode }) }] };
      }
      case API.JoinGroup: {
        const { groupId, sessionTimeoutMs } = body as JoinGroupRequest;
        const timer = `wait ${token}`;
        this.#waiting.push({ token, groupId, timer });
        if (sessionTimeoutMs > 0) this.environment.timers.set(timer, sessionTimeoutMs);
        return nothing();
      }
      case API.LeaveGroup: {
        const { groupId } = body as LeaveGroupRequest;
        const answers = this.#release((each) => each.groupId === groupId);
        return {
          records: [{ key: groupId, value: 'left' }],
          answers: [...answers, { token, body: message(leaveGroupResponse, {}) }],
        };
      }
      default:
        throw new Error(`API ${apiKey} is none of the toy's`);
    }
  }

  onTimer(key: string): Decision<ToyRecord> {
    return { records: [], answers: this.#release(({ timer }) => timer === key) };
  }

  onTopicsChanged(deleted: readonly { readonly name: string }[]): Decision<ToyRecord> {
    this.topicChanges.push(deleted.map(({ name }) => name));
    return nothing();
  }

  waiting(): Iterable<number> {
    return this.#waiting.map(({ token }) => token);
  }

  #release(isMeant: (waiting: Waiting) => boolean): Answer[] {
    const due = this.#waiting.filter(isMeant);
    this.#waiting = this.#waiting.filter((each) => !isMeant(each));
    for (const { timer } of due) this.environment.timers.cancel(timer);
    return due.map(({ token, groupId }) => ({ token, body: message(joinGroupResponse, { memberId: groupId, protocolName: '' }) }));
  }
}
