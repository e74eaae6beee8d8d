// All groups of a shard, by id. Groups come and go in replay alone.
// Pure.
import type { ClassicGroup } from './classic-group.ts';
import type { Group } from './group.ts';

/** `Consumer` is the consumer protocol's group. */
export class GroupStore<Consumer extends Group = Group> {
  readonly #groups = new Map<string, ClassicGroup | Consumer>();

  get(groupId: string): ClassicGroup | Consumer | undefined {
    return this.#groups.get(groupId);
  }

  classic(groupId: string): ClassicGroup | undefined {
    const group = this.#groups.get(groupId);
    return group?.type === 'classic' ? (group as ClassicGroup) : undefined;
  }

  consumer(groupId: string): Consumer | undefined {
    const group = this.#groups.get(groupId);
    return group?.type === 'consumer' ? (group as Consumer) : undefined;
  }

  /** In place of whatever group has the id. */
  put(group: ClassicGroup | Consumer): void {
    this.#groups.set(group.groupId, group);
  }

  /** Only a group of that type: a tombstone of the other protocol's records is no reason to forget it. */
  remove(groupId: string, type: Group['type']): void {
    if (this.#groups.get(groupId)?.type === type) this.#groups.delete(groupId);
  }

  values(): IterableIterator<ClassicGroup | Consumer> {
    return this.#groups.values();
  }

  get count(): number {
    return this.#groups.size;
  }
}
