// The order of requests against a plain list: any mix of classes, answers in any order, starts that are taken back.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type OrderClass, RequestOrder } from '../../src/network/request-order.ts';

type Step =
  | { readonly do: 'start'; readonly class: OrderClass; readonly isTaken: boolean }
  | { readonly do: 'answer'; readonly which: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('start' as const),
      class: fc.constantFrom<OrderClass>('barrier', 'produce', 'fetch'),
      isTaken: fc.boolean(),
    }),
    fc.record({ do: fc.constant('answer' as const), which: fc.nat() }),
  ),
  { maxLength: 200 },
);

describe('request order', () => {
  test('equals a plain list', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 9 }), (list, inflightMax) => {
        const order = new RequestOrder<number>(inflightMax);
        const window: { id: number; class: OrderClass; sequence: number; isAnswered: boolean }[] = [];
        const left: number[] = [];
        const leftOfModel: number[] = [];
        let nextId = 0;
        for (const step of list) {
          if (step.do === 'start') {
            const isAllowed =
              window.length === 0 ||
              (step.class !== 'barrier' && window.every((one) => one.class === step.class) && window.length < inflightMax);
            expect(order.canStart(step.class)).toBe(isAllowed);
            if (!isAllowed) continue;
            const sequence = order.start(step.class, nextId);
            if (step.isTaken) window.push({ id: nextId, class: step.class, sequence, isAnswered: false });
            else order.cancel();
            nextId++;
          } else {
            const open = window.filter((one) => !one.isAnswered);
            const one = open[step.which % Math.max(1, open.length)];
            if (one === undefined) continue;
            order.answer(one.sequence);
            one.isAnswered = true;
            for (let ready = order.takeReady(); ready !== null; ready = order.takeReady()) left.push(ready);
            while (window[0]?.isAnswered === true) leftOfModel.push(window.shift()?.id ?? -1);
            expect(left).toEqual(leftOfModel);
          }
          expect(order.count).toBe(window.length);
          expect(order.unansweredCount).toBe(window.filter((answered) => !answered.isAnswered).length);
        }
        const rest: number[] = [];
        for (let item = order.takeAny(); item !== null; item = order.takeAny()) rest.push(item);
        expect(rest).toEqual(window.map((one) => one.id));
        expect(order.unansweredCount).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test('a start out of order, an answer to nobody, and a second answer are our own errors', () => {
    const order = new RequestOrder<string>(2);
    const first = order.start('produce', 'a');
    expect(() => order.start('barrier', 'b')).toThrow();
    expect(() => order.start('fetch', 'b')).toThrow();
    expect(() => order.answer(first + 1)).toThrow();
    order.start('produce', 'b');
    expect(() => order.start('produce', 'c')).toThrow();
    order.answer(first);
    expect(() => order.answer(first)).toThrow();
  });
});
