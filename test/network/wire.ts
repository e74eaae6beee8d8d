// For tests of a single connection: its other side in memory, and requests that wait until the test answers them. Time stands still: however
// long a case takes here, the other side is never too slow for the broker.
import { expect } from 'vitest';
import { MIB } from '../../src/base/units.ts';
import type { ApiRow } from '../../src/network/api-row.ts';
import type { IncomingRequest } from '../../src/network/incoming-request.ts';
import { MemoryTransport } from '../../src/network/memory-transport.ts';
import type { NetworkOptions } from '../../src/network/network-actor.ts';
import { requestFrame } from '../support/raw-client.ts';
import { createNetwork, echo, FETCH, FETCH_V, HandClock, METADATA, METADATA_V, PRODUCE, PRODUCE_V } from './support.ts';

const VERSION_OF: Record<number, number> = { [PRODUCE]: PRODUCE_V, [FETCH]: FETCH_V, [METADATA]: METADATA_V };

/** Requests that wait until the test answers them. */
export class Parked {
  readonly requests: IncomingRequest[] = [];
  readonly bodies: Buffer[] = [];
  readonly handle = (request: IncomingRequest): boolean => {
    this.requests.push(request);
    this.bodies.push(Buffer.from(request.bytes.subarray(request.position, request.position + request.length)));
    return true;
  };
  /** Answers the request that was taken as number `index` with its body, read where it lies now. */
  answer(index: number): void {
    const request = this.requests[index];
    if (request === undefined) throw new Error(`request ${index} was not taken`);
    if (!echo(request)) throw new Error('no memory');
  }
}

interface WireOptions extends Partial<NetworkOptions> {
  readonly arenaBytes?: number;
  readonly sendBufferBytes?: number;
  readonly sendsSmall?: boolean;
}

/** A network of one worker with one connection, and the other side of that. */
export function wire(rows: readonly ApiRow[], options: WireOptions = {}) {
  const clock = new HandClock();
  const network = createNetwork(rows, { arenaBytes: 8 * MIB, clock, ...options });
  const transport = new MemoryTransport({
    defer: (task) => network.runtime.post(task),
    sendBufferBytes: options.sendBufferBytes ?? 64 * MIB,
    sendsSmall: options.sendsSmall ?? true,
  });
  const restBytes = network.arena.usedBytes;
  const connection = network.network.adopt(transport);
  /** Turns of the loop until it wants no more. */
  const turn = (): void => {
    for (let i = 0; i < 8; i++) network.runtime.loop.runTurn();
  };
  network.open();
  return { ...network, transport, connection, restBytes, turn, clock };
}

/** A request of the version that the rows here have. */
export function frame(apiKey: number, correlationId: number, body: Uint8Array): Buffer {
  return requestFrame(apiKey, VERSION_OF[apiKey] ?? 0, correlationId, body);
}

/** (correlation id, body) of each whole reply. */
export function replies(bytes: Buffer): [number, Buffer][] {
  const list: [number, Buffer][] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at);
    expect(end).toBeLessThanOrEqual(bytes.length);
    list.push([bytes.readInt32BE(at + 4), bytes.subarray(at + 8, end)]);
    at = end;
  }
  return list;
}

export function expectReplies(bytes: Buffer, expected: readonly (readonly [number, Buffer])[]): void {
  const got = replies(bytes);
  expect(got.map(([id]) => id)).toEqual(expected.map(([id]) => id));
  got.forEach(([id, body], index) => {
    expect(body.equals(expected[index]?.[1] ?? Buffer.alloc(0)), `body of reply ${id}`).toBe(true);
  });
}
