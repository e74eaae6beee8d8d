// Which fetch sessions are remembered when there are more consumers than slots: those in use stay, those left behind make room.
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { type FetchPlan, FetchSessions } from '../../src/broker/fetch-sessions.ts';
import { ERROR } from '../../src/protocol/errors.ts';

const TWO_MINUTES_MS = 120_000;
const topics = [
  {
    topic: 'events',
    topicId: '',
    partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }],
  },
];

test('when all slots are taken the session that was unused for longest makes room, once it is two minutes old', () => {
  const sessions = new FetchSessions(2, seededRandom(1));
  const begin = (nowMs: number): number =>
    sessions.open({ sessionId: 0, sessionEpoch: 0, topics, forgottenTopicsData: [] }, false, nowMs).sessionId;
  const goOn = (sessionId: number, sessionEpoch: number, nowMs: number): FetchPlan =>
    sessions.open({ sessionId, sessionEpoch, topics: [], forgottenTopicsData: [] }, false, nowMs);
  const first = begin(0);
  const second = begin(1);
  expect(goOn(first, 1, 1000).errorCode).toBe(ERROR.NONE); // From here on the second is the one unused for longest.
  expect(begin(TWO_MINUTES_MS)).toBe(0); // The second is one millisecond too young: no session, but an answer.
  expect(sessions.count).toBe(2);

  const third = begin(TWO_MINUTES_MS + 1);
  expect(third).toBeGreaterThan(0);
  expect(sessions.count).toBe(2);
  expect(goOn(second, 1, TWO_MINUTES_MS + 2).errorCode).toBe(ERROR.FETCH_SESSION_ID_NOT_FOUND);
  expect(goOn(first, 2, TWO_MINUTES_MS + 2).errorCode).toBe(ERROR.NONE);
  expect(goOn(third, 1, TWO_MINUTES_MS + 2).errorCode).toBe(ERROR.NONE);
});
