import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { knownOptionNames } from '../../src/config/broker-config.ts';
import { ConfigError } from '../../src/config/define.ts';
import { gatherValues, parseEnvironment, parseOverride, parseProperties } from '../../src/config/parse.ts';

const properties = (text: string): Record<string, string> => Object.fromEntries(parseProperties(text));

describe('a properties file', () => {
  test('has keys and values with =, : or blanks between them', () => {
    expect(properties('a=1\nb: 2\nc 3\nd   =   4\n  e\t:5\nf')).toEqual({ a: '1', b: '2', c: '3', d: '4', e: '5', f: '' });
  });

  test('keeps what follows the first separator', () => {
    expect(properties('listeners=PLAINTEXT://:9092,A://b:1\nmap=A:B=C')).toEqual({ listeners: 'PLAINTEXT://:9092,A://b:1', map: 'A:B=C' });
  });

  test('leaves comments and blank lines aside, whatever the line ends are', () => {
    expect(properties('# a=1\r\n\r\n  ! b=2\r\nc=3 # not a comment\rd=4')).toEqual({ c: '3 # not a comment', d: '4' });
  });

  test('goes on after a backslash, even into a line that looks like a comment', () => {
    expect(properties('a=one,\\\n   two,\\\n   #three\nb=2\\\\\nc=3')).toEqual({ a: 'one,two,#three', b: '2\\', c: '3' });
  });

  test('does not continue a comment', () => {
    expect(properties('# a \\\nb=2')).toEqual({ b: '2' });
  });

  test('knows the escapes', () => {
    expect(properties('a\\ b\\=c=\\t\\u00e9\\q\\:\npath=C:\\\\kafka')).toEqual({ 'a b=c': '\té' + 'q:', path: 'C:\\kafka' });
  });

  test('takes the last of equal keys', () => {
    expect(properties('a=1\na=2')).toEqual({ a: '2' });
  });

  test('reads back any text that was written with all its escapes', () => {
    const escaped = (text: string): string => text.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (values) => {
        const entries = Object.entries(values);
        const text = entries.map(([key, value]) => `${escaped(key)}=${escaped(value)}`).join('\n');
        expect([...parseProperties(text)]).toEqual(entries.map(([key, value]) => [key, value]));
      }),
    );
  });
});

describe('variables', () => {
  const names = ['log.segment.bytes', 'naru.workers', 'listeners'];

  test('name options with underscores, Naru’s own without their prefix', () => {
    const { values, unknown } = parseEnvironment({ NARU_LOG_SEGMENT_BYTES: '1', NARU_WORKERS: '2', PATH: '/bin' }, names);
    expect(Object.fromEntries(values)).toEqual({ 'log.segment.bytes': '1', 'naru.workers': '2' });
    expect(unknown).toEqual([]);
  });

  test('that name no option are told, those of the tests are not', () => {
    expect(parseEnvironment({ NARU_LOG_SEGMENT_BITES: '1', NARU_PEERS: '/x' }, names).unknown).toEqual(['NARU_LOG_SEGMENT_BITES']);
  });

  test('takes those of the repository’s own tests and tools for neither', () => {
    const root = resolve(import.meta.dirname, '../..');
    const variables = new Set<string>();
    for (const folder of ['test', 'tools', 'bench']) {
      for (const path of readdirSync(join(root, folder), { recursive: true }) as string[]) {
        if (!/\.m?[jt]s$/.test(path)) continue;
        for (const [, variable = ''] of readFileSync(join(root, folder, path), 'utf8').matchAll(/process\.env\.(NARU_[A-Z_]+)/g)) {
          variables.add(variable);
        }
      }
    }
    expect(variables).toContain('NARU_TEST_BOOTSTRAP');
    const { values, unknown } = parseEnvironment(Object.fromEntries([...variables].map((each) => [each, 'x'])), knownOptionNames());
    // Tests set this one for the brokers that they start, too.
    expect([[...values.keys()], unknown]).toEqual([['naru.native'], []]);
  });
});

test('an override needs a key and an equals sign', () => {
  expect(parseOverride('a=b=c')).toEqual(['a', 'b=c']);
  expect(parseOverride('a=')).toEqual(['a', '']);
  for (const text of ['a', '=b', '']) expect(() => parseOverride(text), text).toThrow(ConfigError);
});

test('the command line is stronger than variables, and these than the file', () => {
  const { given } = gatherValues(
    {
      file: 'a=file\nb=file\nc=file',
      environment: { NARU_B: 'environment', NARU_C: 'environment' },
      overrides: [
        ['c', 'first'],
        ['c', 'last'],
      ],
    },
    ['a', 'b', 'c'],
  );
  expect(Object.fromEntries(given)).toEqual({
    a: { text: 'file', origin: 'file' },
    b: { text: 'environment', origin: 'environment' },
    c: { text: 'last', origin: 'command line' },
  });
});
