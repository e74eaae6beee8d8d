import fc from 'fast-check';
import { expect, test } from 'vitest';
import { regexes } from '../../src/broker/regex-engine.ts';
import { RegexSearch } from '../../src/groups/subscription-regex.ts';

function matches(pattern: string, name: string): boolean {
  const result = regexes.compile(pattern);
  if ('reason' in result) throw new Error(result.reason);
  return result.regex.matches(name);
}

/** Pattern and reason, as RE2/J, which Apache Kafka 4.3.1 uses, gives it. */
const REFUSED: readonly (readonly [pattern: string, reason: string])[] = [
  ['(', 'missing closing )'],
  ['a**', 'invalid nested repetition operator'],
  ['[z-a]', 'invalid character class range'],
  ['\\', 'trailing backslash at end of expression'],
  ['(?P<n', 'invalid named capture'],
  ['a{2,1}', 'invalid repeat count'],
  ['a{1001}', 'invalid repeat count'],
  ['(?=a)', 'invalid or unsupported Perl syntax'],
  ['(?<=a)b', 'invalid named capture'],
  ['\\1', 'invalid escape sequence'],
  ['*a', 'missing argument to repetition operator'],
  ['[[:foo:]]', 'invalid character class range'],
  ['\\p{Foo}', 'invalid character class range'],
  ['[a', 'missing closing ]'],
  ['(?P<n>a)(?P<n>b)', 'duplicate capture group name'],
];

test.each(REFUSED)('%s is refused: %s', (pattern, reason) => {
  expect(regexes.compile(pattern)).toEqual({ reason });
});

test('a topic is meant where the whole name matches', () => {
  expect(matches('orders', 'orders')).toBe(true);
  expect(matches('orders', 'orders-eu')).toBe(false);
  expect(matches('orders', 'my-orders')).toBe(false);
  expect(matches('orders.*', 'orders-eu')).toBe(true);
  expect(matches('(?i)ORDERS', 'orders')).toBe(true);
  expect(matches('a|ab', 'ab')).toBe(true);
});

test('what makes a backtracking engine run for ever takes no time to speak of', () => {
  // 2^200 steps or more for an engine that backtracks.
  const name = `${'a'.repeat(200)}!`;
  for (const pattern of ['(a+)+', '(a|aa)+', '(a*)*b', '(x+x+)+y', '(.*)*(.*)*(.*)*z', '(a?){200}a{200}']) {
    expect(matches(pattern, name)).toBe(false);
  }
});

test('a repetition of repetitions that would take the memory is refused', () => {
  expect(regexes.compile('((a{100}){100}){100}')).toHaveProperty('reason');
});

test('a pattern that is long, or becomes a large program, is refused', () => {
  expect(regexes.compile('a?'.repeat(256))).toHaveProperty('regex');
  for (const pattern of ['a?'.repeat(257), `${'a'.repeat(512)}|b`, '(a{0,40}){0,30}', '.{1000}.{1000}']) {
    expect(regexes.compile(pattern), pattern).toHaveProperty('reason');
  }
});

test('a search goes on in pieces that are smaller the more its patterns cost', () => {
  const names = Array.from({ length: 40 }, (_, i) => `topic-${i}`.padEnd(40, 'x'));
  const pieceCount = (pattern: string): number => {
    const search = new RegexSearch(regexes, [pattern], names, 1, 0);
    for (let count = 1; ; count++) if (search.advance(50_000)) return count;
  };
  expect(pieceCount('topic-.*')).toBe(1);
  // Two names cost about 2 × 40 characters × 600 steps.
  expect(pieceCount('(a?){200}x{200}')).toBe(20);
});

test('any text is a pattern or is none, and never throws', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[()[\]{}*+?|\\.^$a-c0-9:<>=!P-]{0,12}$/));
  fc.assert(fc.property(text, fc.string(), (pattern, name) => ['boolean', 'string'].includes(typeof outcome(pattern, name))));
});

function outcome(pattern: string, name: string): boolean | string {
  const result = regexes.compile(pattern);
  return 'reason' in result ? result.reason : result.regex.matches(name);
}

test('a search in pieces finds what one in a whole finds', () => {
  const names = Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? `orders-${i}` : `other-${i}`));
  const whole = new RegexSearch(regexes, ['orders-.*', '.*-1.', 'none'], names, 7, 5);
  expect(whole.advance(100_000)).toBe(true);
  const pieces = new RegexSearch(regexes, ['orders-.*', '.*-1.', 'none'], names, 7, 5);
  let count = 1;
  while (!pieces.advance(10)) count++;
  expect(count).toBe(100);
  expect(pieces.found).toEqual(whole.found);
  expect(whole.found.get('.*-1.')).toHaveLength(10);
  expect(whole.found.get('none')).toEqual([]);
});
