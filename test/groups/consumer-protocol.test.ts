import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  embeddedVersion,
  readAssignment,
  readSubscription,
  writeAssignment,
  writeSubscription,
} from '../../src/groups/consumer-protocol.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

test('a subscription is read at every version, and a newer one as the newest known', () => {
  const v0 = '00000001 000161 ffffffff';
  const v1 = `${v0} 00000001 000162 00000002 00000000 00000001`;
  const v2 = `${v1} 00000007`;
  const v3 = `${v2} 000172`;
  const read = { topics: ['a'], userData: null, ownedPartitions: [], generationId: -1, rackId: null };
  const owned = [{ topic: 'b', partitions: [0, 1] }];
  expect(readSubscription(hex(`0000${v0}`))).toEqual(read);
  expect(readSubscription(hex(`0001${v1}`))).toEqual({ ...read, ownedPartitions: owned });
  expect(readSubscription(hex(`0002${v2}`))).toEqual({ ...read, ownedPartitions: owned, generationId: 7 });
  expect(readSubscription(hex(`0003${v3}`))).toEqual({ ...read, ownedPartitions: owned, generationId: 7, rackId: 'r' });
  expect(readSubscription(hex(`0009${v3} ffff`))).toEqual({ ...read, ownedPartitions: owned, generationId: 7, rackId: 'r' });
  expect(embeddedVersion(hex('0009'))).toBe(9);
});

test('what is cut off or lies is not readable', () => {
  const whole = writeSubscription(
    { topics: ['a', 'b'], userData: hex('01'), ownedPartitions: [{ topic: 'a', partitions: [1] }], generationId: 3, rackId: 'rack' },
    3,
  );
  for (let length = 0; length < whole.length; length++) expect(readSubscription(whole.subarray(0, length))).toBeNull();
  expect(readSubscription(hex('ffff 00000000 ffffffff'))).toBeNull();
  expect(readAssignment(hex('0000 7fffffff'))).toBeNull();
  expect(embeddedVersion(hex('00'))).toBeNull();
});

test('an assignment comes back as it was written', () => {
  const topics = fc.array(fc.record({ topic: fc.string({ maxLength: 20 }), partitions: fc.array(fc.nat()) }), { maxLength: 5 });
  fc.assert(
    fc.property(topics, fc.integer({ min: 0, max: 9 }), (assignedPartitions, version) => {
      const bytes = writeAssignment(assignedPartitions, version);
      expect(embeddedVersion(bytes)).toBe(Math.min(version, 3));
      expect(readAssignment(bytes)).toEqual({ assignedPartitions, userData: null });
    }),
  );
});
