// The log of slow requests: which are told, how many a second, from and until when. Time passes by hand.
import { expect, test } from 'vitest';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { MemoryTransport } from '../../src/network/memory-transport.ts';
import { SlowRequests } from '../../src/network/slow-requests.ts';
import type { LogFields } from '../../src/telemetry/logger.ts';
import { requestFrame } from '../support/raw-client.ts';
import { createNetwork, HandClock, METADATA, METADATA_V, row } from './support.ts';

function worker(thresholdMs: number) {
  const clock = new HandClock();
  const told: LogFields[] = [];
  const parked: IncomingRequest[] = [];
  const slow = new SlowRequests({
    thresholdMs,
    nowMs: () => clock.nowMs,
    apiName: (apiKey) => `api ${apiKey}`,
    log: (fields) => told.push(fields),
  });
  const created = createNetwork([row(METADATA, (request) => parked.push(request) > 0)], { clock, slow });
  created.open();
  /** One request on a connection of its own; its handler answers after so long. */
  const ask = (correlationId: number): { answer(): void } => {
    const transport = new MemoryTransport({ defer: (task) => created.runtime.post(task), sendBufferBytes: 1 << 20 });
    created.network.adopt(transport, { listener: 0, ticket: 0 });
    transport.deliver(requestFrame(METADATA, METADATA_V, correlationId, Buffer.alloc(4)));
    created.runtime.loop.runTurn();
    const request = parked.pop() as IncomingRequest;
    return {
      answer(): void {
        request.beginReply(8);
        request.endReply();
      },
    };
  };
  const turn = (): void => void created.runtime.loop.runTurn();
  return { clock, told, slow, ask, turn };
}

test('those of a turn that took as long as that, each with its own facts', () => {
  const { clock, told, ask, turn } = worker(100);
  const first = ask(1);
  clock.nowMs += 60;
  const second = ask(2);
  clock.nowMs += 41;
  first.answer();
  clock.nowMs += 2;
  second.answer();
  clock.nowMs += 3;
  turn();
  expect(told).toEqual([
    expect.objectContaining({
      api: `api ${METADATA}`,
      version: METADATA_V,
      correlationId: 1,
      waitedMs: 0,
      handledMs: 101,
      queuedMs: 5,
      tookMs: 106,
    }),
  ]);
  expect(told[0]?.replyBytes).toBeGreaterThan(8);
});

test('many of one turn, of which ten a second are told, and the others counted in the next', () => {
  const { clock, told, ask, turn } = worker(100);
  const round = (count: number): void => {
    const asked = Array.from({ length: count }, (_, i) => ask(i));
    clock.nowMs += 200;
    for (const { answer } of asked) answer();
    turn();
  };
  round(300);
  expect(told.map(({ correlationId, leftOut }) => [correlationId, leftOut])).toEqual(Array.from({ length: 10 }, (_, i) => [i, undefined]));
  clock.nowMs += 1000;
  round(1);
  expect(told.at(-1)).toMatchObject({ correlationId: 0, leftOut: 290 });
});

test('from when the time is set until it is taken back; who had ended before is not judged', () => {
  const { clock, told, slow, ask, turn } = worker(-1);
  const [before, during] = [ask(1), ask(2)];
  clock.nowMs += 500;
  before.answer();
  slow.thresholdMs = 100;
  turn();
  during.answer();
  turn();
  expect(told.map(({ correlationId, handledMs }) => [correlationId, handledMs])).toEqual([[2, 500]]);
  const after = ask(3);
  clock.nowMs += 500;
  slow.thresholdMs = -1;
  after.answer();
  turn();
  expect(told).toHaveLength(1);
});
