// The mailbox against a plain queue, and its bounds.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mailbox } from '../../src/actors/mailbox.ts';

describe('a mailbox', () => {
  it('is a bounded queue', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(fc.integer({ min: -40, max: 60 }), { maxLength: 40 }), (limit, steps) => {
        const mailbox = new Mailbox(limit);
        const model: number[] = [];
        const done: number[] = [];
        let next = 0;
        for (const step of steps) {
          for (let i = 0; i < step; i++) {
            const id = next++;
            const taken = mailbox.push(() => void done.push(id));
            expect(taken).toBe(model.length < limit);
            if (taken) model.push(id);
          }
          if (step < 0) {
            const expected = model.splice(0, -step);
            expect(mailbox.drain(-step)).toBe(expected.length);
            expect(done.splice(0)).toEqual(expected);
          }
          expect(mailbox.count).toBe(model.length);
        }
      }),
    );
  });

  it('runs what tasks push within the same limit, and survives a task that throws', () => {
    const mailbox = new Mailbox();
    const done: string[] = [];
    mailbox.push(() => {
      done.push('a');
      mailbox.push(() => done.push('c'));
    });
    mailbox.push(() => done.push('b'));
    expect(mailbox.drain(2)).toBe(2);
    expect(done).toEqual(['a', 'b']);
    mailbox.push(() => {
      throw new Error('as told');
    });
    mailbox.push(() => done.push('d'));
    expect(() => mailbox.drain(9)).toThrow('as told');
    expect(mailbox.drain(9)).toBe(1);
    expect(done).toEqual(['a', 'b', 'c', 'd']);
  });
});
