// What a server-side assignor is asked and gives.
// Pure (types only).
import type { Assignment } from '../assignment.ts';

export interface AssignedMember {
  readonly memberId: string;
  /** Null: a dynamic member. */
  readonly instanceId: string | null;
  /** The topics it subscribes to, as far as they exist; each once. */
  readonly topicIds: readonly string[];
  /** What it was to have until now. */
  readonly target: Assignment;
}

export interface AssignmentTask {
  readonly members: readonly AssignedMember[];
  /** All members subscribe to the same topics. */
  readonly isHomogeneous: boolean;
  /** Of a topic that a member subscribes to. */
  partitionCount(topicId: string): number;
  /** Who was to have each partition of the topic until now, all of them among `members`; undefined: nobody has any. */
  owners(topicId: string): ReadonlyMap<number, string> | undefined;
}

/** Gives every member its assignment: the same object as before where nothing changed for it. */
export type Assignor = (task: AssignmentTask) => Map<string, Assignment>;
