import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatLine, type LogLine, loggerTo, plainSink } from '../../src/telemetry/logger.ts';

describe('a logger', () => {
  test('hands on lines of its level and above', () => {
    const lines: LogLine[] = [];
    const logger = loggerTo((line) => lines.push(line), 'warn');
    logger.debug('a');
    logger.info('b');
    logger.warn('c', { key: 1 });
    logger.error('d');
    expect(lines.map(({ level, message, fields }) => [level, message, fields])).toEqual([
      ['warn', 'c', { key: 1 }],
      ['error', 'd', {}],
    ]);
    expect(structuredClone(lines)).toEqual(lines);
  });

  test('names the component that speaks, and has one level for all of them', () => {
    const lines: LogLine[] = [];
    const logger = loggerTo((line) => lines.push(line));
    const network = logger.of('network');
    logger.info('a');
    network.info('b');
    network.of('log').info('c');
    logger.level = 'warn';
    network.info('d');
    network.warn('e');
    expect(lines.map(({ component, message }) => `${component} ${message}`)).toEqual(['broker a', 'network b', 'log c', 'network e']);
  });

  test('passes on a line of another thread as it was said there, where its level lets it', () => {
    const lines: LogLine[] = [];
    const logger = loggerTo((line) => lines.push(line), 'warn');
    const line: LogLine = { level: 'warn', timestampMs: 5, component: 'log', message: 'a', fields: { b: 1 } };
    logger.pass(line);
    logger.pass({ ...line, level: 'info' });
    expect(lines).toEqual([line]);
  });

  test('writes one line a call, whatever a peer put into it', () => {
    const texts: string[] = [];
    const logger = loggerTo(plainSink((text) => texts.push(text)));
    logger.warn('connection closed', { peer: '10.0.0.1:5', reason: 'GET / HTTP/1.1\r\nforged line', code: undefined });
    expect(texts).toHaveLength(1);
    expect(texts[0]).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN {2}\[broker\] connection closed peer=10\.0\.0\.1:5 reason="GET \/ HTTP\/1\.1\\r\\nforged line"\n$/,
    );
    expect(formatLine({ level: 'info', timestampMs: 0, component: 'log', message: 'a\nb', fields: {} })).toBe(
      '1970-01-01T00:00:00.000Z INFO  [log] a ⏎ b\n',
    );
  });

  test('writes JSON that a machine can read', () => {
    const module = resolve(import.meta.dirname, '../../src/telemetry/logger.ts');
    const script = `const { jsonSink, loggerTo } = await import(${JSON.stringify(module)});
      loggerTo(await jsonSink(), 'debug').debug('ready', { port: 1 });`;
    const text = execFileSync('/bin/sh', ['-c', `"${process.execPath}" --input-type=module -e '${script.replaceAll("'", '"')}' 2>&1`], {
      encoding: 'utf8',
    });
    expect(JSON.parse(text)).toEqual({ level: 20, time: expect.any(Number), component: 'broker', port: 1, msg: 'ready' });
  });
});
