// The arena against a plain list of ranges: slabs never overlap, what is released joins again, the budget holds.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SLAB_MAX_BYTES, SLAB_MIN_BYTES, SlabArena } from '../../src/actors/slab-arena.ts';

const step = fc.record({
  do: fc.constantFrom('claim', 'claim', 'retain', 'release', 'release'),
  order: fc.nat(6),
  pick: fc.nat(1_000_000),
});

/** The largest slab that an arena of this many blocks can give at its start: a power of two. */
function largest(blocks: number): number {
  return 2 ** Math.floor(Math.log2(blocks)) * SLAB_MIN_BYTES;
}

describe('a slab arena', () => {
  it('never overlaps, counts what is used, refuses only what does not fit, and is whole when all is released', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.array(step, { maxLength: 300, size: 'max' }), (blocks, steps) => {
        const arena = new SlabArena(blocks * SLAB_MIN_BYTES + 100);
        let freed = 0;
        arena.onReleased(() => freed++);
        expect(arena.capacityBytes).toBe(blocks * SLAB_MIN_BYTES);
        const slabs = new Map<number, { sizeBytes: number; references: number }>();
        let expectedFreed = 0;
        const release = (position: number): void => {
          const slab = slabs.get(position);
          if (slab === undefined) return;
          arena.release(position);
          if (--slab.references > 0) return;
          slabs.delete(position);
          expectedFreed++;
        };
        for (const { do: what, order, pick } of steps) {
          const position = [...slabs.keys()][pick % Math.max(1, slabs.size)];
          if (what === 'claim') {
            const asked = 1 + (pick % (SLAB_MIN_BYTES << order));
            const claimed = arena.claim(asked);
            const sizeBytes = Math.max(SLAB_MIN_BYTES, 2 ** Math.ceil(Math.log2(asked)));
            if (claimed === -1) {
              expect(hasAlignedGap(slabs, sizeBytes, arena.capacityBytes)).toBe(false);
              continue;
            }
            expect(arena.slabBytes(claimed)).toBe(sizeBytes);
            expect(claimed % sizeBytes).toBe(0);
            expect(claimed + sizeBytes).toBeLessThanOrEqual(arena.capacityBytes);
            for (const [other, { sizeBytes: otherSize }] of slabs) {
              if (other < claimed + sizeBytes && claimed < other + otherSize) throw new Error(`${claimed} overlaps ${other}`);
            }
            slabs.set(claimed, { sizeBytes, references: 1 });
          } else if (what === 'retain' && position !== undefined) {
            arena.retain(position);
            (slabs.get(position) as { references: number }).references++;
          } else if (what === 'release' && position !== undefined) {
            release(position);
          }
          expect(arena.usedBytes).toBe([...slabs.values()].reduce((sum, slab) => sum + slab.sizeBytes, 0));
        }
        for (const position of [...slabs.keys()]) while (slabs.has(position)) release(position);
        expect(freed).toBe(expectedFreed);
        expect(arena.usedBytes).toBe(0);
        // Whole again: the largest slab fits, and then each smaller one of the binary digits.
        for (let rest = blocks; rest > 0; rest -= largest(rest) / SLAB_MIN_BYTES) expect(arena.claim(largest(rest))).not.toBe(-1);
        expect(arena.usedBytes).toBe(arena.capacityBytes);
        expect(arena.claim(1)).toBe(-1);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves a slab of the size that a claim is to keep, and refuses only where it could not', () => {
    const sizes = fc.nat(4).map((order) => SLAB_MIN_BYTES << order);
    const areFree = fc.array(fc.boolean(), { minLength: 1, maxLength: 40, size: 'max' });
    fc.assert(
      fc.property(areFree, sizes, sizes, (free, sizeBytes, keptBytes) => {
        const arena = new SlabArena(free.length * SLAB_MIN_BYTES);
        const slabs = free.map(() => arena.claim(1));
        for (const [index, slab] of slabs.entries()) if (free[index]) arena.release(slab);
        // Whether both can be had, one after the other.
        const first = arena.claim(sizeBytes);
        const second = first < 0 ? -1 : arena.claim(keptBytes);
        if (second >= 0) arena.release(second);
        if (first >= 0) arena.release(first);
        const claimed = arena.claim(sizeBytes, 0, keptBytes);
        expect(claimed >= 0).toBe(second >= 0);
        if (claimed >= 0) expect(arena.claim(keptBytes)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the same memory to who reads its bytes and to who shares its region', () => {
    const arena = new SlabArena(64 * 1024);
    const position = arena.claim(10_000);
    arena.bytes.write('naru', position);
    expect(Buffer.from(arena.region).toString('latin1', position, position + 4)).toBe('naru');
    expect(arena.bytes.byteLength).toBe(64 * 1024);
  });

  it('lets a listener claim what has just become free', () => {
    const arena = new SlabArena(SLAB_MIN_BYTES);
    const first = arena.claim(1);
    expect(arena.claim(1)).toBe(-1);
    let again = -1;
    arena.onReleased(() => {
      again = arena.claim(1);
    });
    arena.retain(first);
    arena.release(first);
    expect(again).toBe(-1);
    arena.release(first);
    expect(again).toBe(first);
  });

  it('refuses what no slab can hold, and knows its largest', () => {
    expect(new SlabArena(3 * SLAB_MIN_BYTES).claim(3 * SLAB_MIN_BYTES)).toBe(-1);
    expect(new SlabArena(3 * SLAB_MIN_BYTES).slabMaxBytes).toBe(2 * SLAB_MIN_BYTES);
    const large = new SlabArena(SLAB_MAX_BYTES * 3 + SLAB_MIN_BYTES); // Untouched pages cost nothing.
    expect(large.slabMaxBytes).toBe(SLAB_MAX_BYTES);
    expect(large.claim(SLAB_MAX_BYTES + 1)).toBe(-1);
    const claimed = [1, 2, 3].map(() => large.claim(SLAB_MAX_BYTES));
    expect(new Set(claimed)).toEqual(new Set([0, SLAB_MAX_BYTES, 2 * SLAB_MAX_BYTES]));
    expect(large.claim(SLAB_MAX_BYTES)).toBe(-1);
    expect(large.claim(1)).toBe(3 * SLAB_MAX_BYTES);
  });

  it('knows whether a slab can ever be had beside another one and the start of the arena', () => {
    for (let blocks = 2; blocks <= 80; blocks++) {
      for (let held = 0; held <= 32; held = Math.max(1, 2 * held)) {
        for (let wanted = 1; wanted <= 32; wanted *= 2) {
          const arena = new SlabArena(blocks * SLAB_MIN_BYTES);
          const others: number[] = []; // Smaller runs are given first.
          for (let at = arena.claim(1); at !== 0; at = arena.claim(1)) others.push(at);
          for (const other of others) arena.release(other);
          // The larger one first: what the start leaves of its own run is for the smaller.
          const sizes = [held, wanted].filter((size) => size > 0).sort((one, other) => other - one);
          const canBe = sizes.every((size) => arena.claim(size * SLAB_MIN_BYTES) >= 0);
          const says = arena.canHoldBeside(wanted * SLAB_MIN_BYTES, held * SLAB_MIN_BYTES);
          expect(says, `${wanted} beside ${held} of ${blocks}`).toBe(canBe);
        }
      }
    }
    const large = new SlabArena(3 * SLAB_MAX_BYTES);
    expect([large.canHoldBeside(SLAB_MAX_BYTES, SLAB_MAX_BYTES), large.canHoldBeside(SLAB_MAX_BYTES + 1, 0)]).toEqual([true, false]);
  });

  it('asserts against positions that are no slab in use', () => {
    const arena = new SlabArena(16 * SLAB_MIN_BYTES);
    const position = arena.claim(2 * SLAB_MIN_BYTES);
    arena.release(position);
    for (const wrong of [position, SLAB_MIN_BYTES, 17, -SLAB_MIN_BYTES, 10 ** 9]) {
      expect(() => arena.release(wrong)).toThrow(/no slab in use/);
      expect(() => arena.retain(wrong)).toThrow(/no slab in use/);
      expect(() => arena.slabBytes(wrong)).toThrow(/no slab in use/);
    }
    expect(() => new SlabArena(SLAB_MIN_BYTES - 1)).toThrow(/holds no slab/);
  });
});

/** Whether a slab of this size could stand somewhere between the others: buddies that are free are always joined. */
function hasAlignedGap(slabs: ReadonlyMap<number, { readonly sizeBytes: number }>, sizeBytes: number, capacityBytes: number): boolean {
  for (let at = 0; at + sizeBytes <= capacityBytes; at += sizeBytes) {
    if ([...slabs].every(([other, slab]) => other >= at + sizeBytes || other + slab.sizeBytes <= at)) return true;
  }
  return false;
}
