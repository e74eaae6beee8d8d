// The explorer itself, on programs whose schedules can be counted by hand: it must find every outcome, and every fault.
import { describe, expect, it } from 'vitest';
import { explore, type Program, ScheduleFailure, type Thread } from './explorer.ts';

const increment: Thread =
  ({ words }) =>
  () =>
    words.store(0, words.load(0) + 1);

function outcomes(program: Program): Set<string> {
  const found = new Set<string>();
  explore({ ...program, check: (reports, memory) => void found.add(JSON.stringify([reports, [...memory]])) });
  return found;
}

describe('the explorer', () => {
  it('finds the lost update of two unlocked increments, and that atomic ones have none', () => {
    expect(outcomes({ wordCount: 1, threads: [increment, increment] })).toEqual(new Set(['[[[],[]],[1]]', '[[[],[]],[2]]']));
    const add: Thread = (context) => () => context.words.add(0, 1);
    expect(outcomes({ wordCount: 1, threads: [add, add, add] })).toEqual(new Set(['[[[],[],[]],[3]]']));
  });

  it('finds exactly the three outcomes of store buffering that sequential consistency allows', () => {
    const party =
      (mine: number, other: number): Thread =>
      ({ words, report }) =>
      () => {
        words.store(mine, 1);
        report(words.load(other));
      };
    const found = outcomes({ wordCount: 2, threads: [party(0, 1), party(1, 0)] });
    expect(found).toEqual(new Set(['[[[0],[1]],[1,1]]', '[[[1],[0]],[1,1]]', '[[[1],[1]],[1,1]]']));
  });

  it('enters all schedules: 3 threads of 2 accesses to words of their own have 3^3 states and one end', () => {
    const two =
      (index: number): Thread =>
      ({ words }) =>
      () => {
        words.store(index, 1);
        words.store(index, 2);
      };
    expect(explore({ wordCount: 3, threads: [two(0), two(1), two(2)] })).toEqual({ states: 27, ends: 1, longest: 6 });
  });

  it('calls unordered plain accesses a data race, and ordered ones none', () => {
    const writer: Thread =
      ({ words }) =>
      () => {
        words.storePlain(1, 7);
        words.store(0, 1);
      };
    const carefulReader: Thread =
      ({ words, report }) =>
      () => {
        if (words.load(0) === 1) report(words.loadPlain(1));
      };
    const hastyReader: Thread =
      ({ words, report }) =>
      () => {
        words.load(0);
        report(words.loadPlain(1));
      };
    expect(outcomes({ wordCount: 2, threads: [writer, carefulReader] })).toEqual(new Set(['[[[],[]],[1,7]]', '[[[],[7]],[1,7]]']));
    expect(() => explore({ wordCount: 2, threads: [writer, hastyReader] })).toThrow(/data race/);
  });

  it('refuses a word that is accessed both ways', () => {
    const both: Thread =
      ({ words }) =>
      () => {
        words.store(0, 1);
        words.loadPlain(0);
      };
    expect(() => explore({ wordCount: 1, threads: [both] })).toThrow(/plainly and atomically/);
  });

  it('tells the events of a schedule in which a thread sleeps for ever', () => {
    const sleeper: Thread =
      ({ words, waitForBell }) =>
      () => {
        if (words.load(0) === 0) waitForBell();
      };
    const waker: Thread =
      ({ words, ringBell }) =>
      () => {
        if (words.exchange(0, 1) === 2) ringBell(0);
      };
    expect(() => explore({ wordCount: 1, threads: [sleeper, waker] })).toThrow(/lost wake-up: thread 0.*\n.*thread 0 {2}load \[0\]/);
  });

  it('lets a bell that rang before be heard at once, and passes on failures of a thread', () => {
    const sleeper: Thread = (context) => () => context.waitForBell();
    const waker: Thread = (context) => () => context.ringBell(0);
    expect(explore({ wordCount: 1, threads: [sleeper, waker] }).ends).toBe(1);
    const failing: Thread = () => () => {
      throw new Error('as told');
    };
    expect(() => explore({ wordCount: 1, threads: [failing] })).toThrow(ScheduleFailure);
  });
});
