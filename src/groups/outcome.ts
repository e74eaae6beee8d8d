// A decision in the making: records and answers are added as deciding goes on.
// Pure.
import type { Answer, Decision } from '../coordinator/shard.ts';
import type { GroupRecord } from './group-records.ts';

export class Outcome implements Decision<GroupRecord> {
  readonly records: GroupRecord[] = [];
  readonly answers: Answer[] = [];

  answer(token: number, body: unknown): this {
    this.answers.push({ token, body });
    return this;
  }
}

const NO_RECORDS: readonly GroupRecord[] = [];

/** An answer alone. */
export function answered(token: number, body: unknown): Decision<GroupRecord> {
  return { records: NO_RECORDS, answers: [{ token, body }] };
}
