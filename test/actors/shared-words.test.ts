// Shared words, bits and parking in one thread: values, bounds, and sets against plain sets. Their races: test/interleaving.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedBits, sharedBitsBytes, sharedBitsWords } from '../../src/actors/shared-bits.ts';
import { ParkProtocol } from '../../src/actors/shared-park.ts';
import { SharedWords } from '../../src/actors/shared-words.ts';

describe('shared words', () => {
  it('are seen by every instance over the region, and give what stood there before', () => {
    const region = new SharedArrayBuffer(64);
    const one = new SharedWords(region);
    const other = new SharedWords(region, 8, 4);
    one.store(2, 5);
    expect(other.load(0)).toBe(5);
    expect(other.add(0, 2 ** 31 - 1)).toBe(5);
    expect(one.load(2)).toBe(-(2 ** 31) + 4);
    expect(one.exchange(2, 6)).toBe(-(2 ** 31) + 4);
    expect(one.or(2, 9)).toBe(6);
    expect(one.and(2, 12)).toBe(15);
    expect(one.compareExchange(2, 1, 7)).toBe(12);
    expect(one.compareExchange(2, 12, 7)).toBe(12);
    expect(other.loadPlain(0)).toBe(7);
    other.storePlain(1, 8);
    expect(one.load(3)).toBe(8);
    expect(() => new SharedWords(region, 4)).toThrow(/multiple of 8/);
  });

  it('hold safe integers in two words', () => {
    const words = new SharedWords(new SharedArrayBuffer(64));
    for (const value of [0, -1, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      words.store64(4, value);
      expect(words.load64(4)).toBe(value);
      expect([words.load(3), words.load(6)]).toEqual([0, 0]);
    }
    expect(() => words.load(16)).toThrow(RangeError);
  });
});

describe('shared bits', () => {
  it('are a set, at every depth', () => {
    const step = fc.oneof({ weight: 9, arbitrary: fc.nat() }, { weight: 1, arbitrary: fc.constant(null) });
    fc.assert(
      fc.property(
        fc.constantFrom(1, 31, 32, 33, 1024, 1025, 40_000, 2 ** 20),
        fc.array(step, { maxLength: 60, size: 'max' }),
        (count, steps) => {
          const words = new SharedWords(new SharedArrayBuffer(sharedBitsBytes(count) + 256));
          const first = 32; // Not at the start, and guarded on both sides.
          const bits = new SharedBits(words, first, count);
          const model = new Set<number>();
          for (const each of [...steps, null]) {
            if (each !== null) {
              bits.set(each % count);
              model.add(each % count);
              expect(bits.any()).toBe(true);
              continue;
            }
            const visited: number[] = [];
            expect(bits.drain((member) => void visited.push(member))).toBe(model.size);
            expect(visited).toEqual([...model].sort((a, b) => a - b));
            model.clear();
            expect(bits.any()).toBe(false);
          }
          for (let i = 0; i < 32; i++) expect([words.load(i), words.load(first + sharedBitsWords(count) + i)]).toEqual([0, 0]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keep what is set while they are drained for the next drain', () => {
    const words = new SharedWords(new SharedArrayBuffer(sharedBitsBytes(100)));
    const bits = new SharedBits(words, 0, 100);
    bits.set(50);
    expect(bits.drain((member) => bits.set(member - 40))).toBe(1);
    expect(bits.any()).toBe(true);
    const visited: number[] = [];
    bits.drain((member) => void visited.push(member));
    expect(visited).toEqual([10]);
    expect(() => bits.set(100)).toThrow(/bit 100 of 100/);
    expect(() => bits.set(-1)).toThrow(/bit -1/);
  });
});

describe('parking', () => {
  it('wakes exactly the workers that left a note, for the slot where they left it, once the position they need is there', () => {
    const slotCount = 100;
    const stride = 16;
    const region = new SharedArrayBuffer(slotCount * stride * 4 + ParkProtocol.regionBytes(slotCount, 3));
    const words = new SharedWords(region);
    const signals: string[] = [];
    const parks = [0, 1, 2].map(
      (selfIndex) =>
        new ParkProtocol({
          words,
          slotCount,
          workerCount: 3,
          selfIndex,
          slotStrideWords: stride,
          interestWord: 3,
          wantedWord: 15,
          bitsWord: slotCount * stride,
          signal: (worker) => signals.push(`${selfIndex} to ${worker}`),
        }),
    );
    const [owner, reader, bystander] = parks as [ParkProtocol, ParkProtocol, ParkProtocol];
    owner.published(7, 10);
    expect(signals).toEqual([]);
    reader.leaveNote(7, 500);
    reader.leaveNote(7, 20);
    reader.leaveNote(7, 300); // The smallest of its wants counts.
    owner.leaveNote(8, 0); // An owner reads its own partitions too.
    owner.published(7, 19);
    expect(signals).toEqual([]);
    owner.published(8, 0);
    owner.published(7, 20);
    owner.published(7, 2 ** 31 - 1);
    expect(signals).toEqual(['0 to 0', '0 to 1']);
    expect([owner.any(), reader.any(), bystander.any()]).toEqual([true, true, false]);
    const woken: number[] = [];
    expect(reader.drain((slot) => void woken.push(slot))).toBe(1);
    expect(woken).toEqual([7]);
    expect(reader.any()).toBe(false);
    reader.leaveNote(99, 2 ** 31 - 1);
    bystander.leaveNote(99, 5);
    owner.wake(99); // Whatever they want.
    reader.drain((slot) => void woken.push(slot));
    expect(woken).toEqual([7, 99]);
    expect(bystander.any()).toBe(true);
  });
});
