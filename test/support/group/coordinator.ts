// Makes a group ready to be asked: the offsets topic is there, and the partition that the group belongs to is loaded.
import { setTimeout as delay } from 'node:timers/promises';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../../src/protocol/apis/find-coordinator.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../../../src/protocol/apis/offset-fetch.ts';
import { ERROR } from '../../../src/protocol/errors.ts';
import type { WireClient } from '../wire-client.ts';

/** Resolves when the group's coordinator answers. */
export async function coordinatorOf(client: WireClient, groupId: string): Promise<void> {
  for (;;) {
    const { coordinators } = await client.ask(findCoordinatorRequest, findCoordinatorResponse, 6, { coordinatorKeys: [groupId] });
    if (coordinators[0]?.errorCode === ERROR.NONE) {
      const { groups } = await client.ask(offsetFetchRequest, offsetFetchResponse, 8, { groups: [{ groupId, topics: [] }] });
      if (groups[0]?.errorCode === ERROR.NONE) return;
    }
    await delay(10);
  }
}
