// What a program printed, call by call, held against what it printed of Apache Kafka 4.3.1: a text file with a block for each call, `$ NAME`
// and its lines, and the differences that are listed with their reasons.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/** Lines that a call printed, by its name, in the order of the calls. */
export type Answers = ReadonlyMap<string, readonly string[]>;

/** Lines that are not compared. Invariant: each entry meets at least one line that does differ. */
export interface Difference {
  /** The call, with all of its name. */
  readonly call: RegExp;
  readonly line: RegExp;
  readonly reason: string;
}

export function readAnswers(file: string): Answers {
  return answersFromText(readFileSync(file, 'utf8'));
}

export function writeAnswers(file: string, answers: Answers): void {
  writeFileSync(file, answersAsText(answers));
}

export function answersFromText(text: string): Answers {
  const blocks = text.split(/^\$ /m).slice(1);
  return new Map(
    blocks.map((block) => {
      const [call = '', ...lines] = block.trimEnd().split('\n');
      return [call, lines.map((line) => line.replace(/^ +/, ''))];
    }),
  );
}

function answersAsText(answers: Answers): string {
  return [...answers].map(([call, lines]) => `$ ${call}\n${lines.map((line) => `  ${line}\n`).join('')}`).join('');
}

/** The same calls, and the same lines but for the differences; a failure shows the calls that answer otherwise, and no other. */
export function expectSameAnswers(found: Answers, recorded: Answers, differences: readonly Difference[]): void {
  expect([...found.keys()]).toEqual([...recorded.keys()]);
  const compared = (answers: Answers, call: string): string[] => {
    const listed = differences.filter((difference) => difference.call.test(call));
    return (answers.get(call) ?? []).filter((line) => !listed.some((difference) => difference.line.test(line)));
  };
  const unlike = [...found.keys()].filter((call) => compared(found, call).join('\n') !== compared(recorded, call).join('\n'));
  const texts = (answers: Answers): string => answersAsText(new Map(unlike.map((call) => [call, compared(answers, call)])));
  expect(texts(found)).toBe(texts(recorded));
}

/** Each difference that is listed is one. */
export function expectRealDifferences(found: Answers, recorded: Answers, differences: readonly Difference[]): void {
  const idle = differences.filter(({ call, line }) => {
    const lines = (answers: Answers): string[] =>
      [...answers].flatMap(([name, all]) => (call.test(name) ? all.filter((each) => line.test(each)) : []));
    return lines(found).join('\n') === lines(recorded).join('\n');
  });
  expect(idle, 'differences that there are none').toEqual([]);
}

/** Without what differs from run to run whoever answers: ids, times, ports, places, the width of columns. */
export function withoutAccidents(text: string, places: Readonly<Record<string, string>>): string {
  let masked = text;
  for (const [name, place] of Object.entries(places)) masked = masked.replaceAll(place, `<${name}>`);
  return masked
    .replaceAll(/\b(127\.0\.0\.1|localhost):\d+/g, '$1:<port>')
    .replaceAll(/((?:TopicId|ClusterId|Cluster ID|directoryId)\W+)[\w-]{22}/g, '$1<id>')
    .replaceAll(/\b1[789]\d{11}\b/g, '<time>')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d{1,9}Z?/g, '<time>')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ +$/gm, '');
}
