// `naru start` around a broker that does what the test tells it to. The real broker behind it: test/broker and test/clients.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Broker } from '../../src/broker/broker.ts';
import { type BrokerStarter, type ProcessParts, start } from '../../src/cli/commands/start.ts';
import { UsageError } from '../../src/cli/options.ts';
import type { BrokerConfig } from '../../src/config/broker-config.ts';

class FakeProcess implements ProcessParts {
  output = '';
  errors = '';
  readonly exits: number[] = [];
  config: BrokerConfig | null = null;
  stopped = 0;
  finishStop: () => void = () => {};
  fail: (error: Error) => void = () => {};
  /** What the start waits for; tests put something slower or something that fails here. */
  boot: (calledOff: AbortSignal) => Promise<void> = async () => {};
  #signal: (signal: 'SIGINT' | 'SIGTERM') => void = () => {};

  out(text: string): void {
    this.output += text;
  }
  err(text: string): void {
    this.errors += text;
  }
  exit(code: number): void {
    this.exits.push(code);
  }
  onSignal(listener: (signal: 'SIGINT' | 'SIGTERM') => void): void {
    this.#signal = listener;
  }
  signal(signal: 'SIGINT' | 'SIGTERM'): void {
    this.#signal(signal);
  }

  readonly startBroker: BrokerStarter = async (config, _logger, calledOff): Promise<Broker> => {
    this.config = config;
    await this.boot(calledOff);
    return {
      ready: {
        httpListener: null,
        listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }],
        clusterId: 'abcdefghijklmnopqrstuv',
        dataDirectories: ['/data'],
        workers: 2,
        crc: 'sse4.2',
        nativeCalls: ['dup', 'sendfile'],
        descriptorLimit: 65_536,
      },
      stop: () =>
        new Promise((done) => {
          this.stopped++;
          this.finishStop = done;
        }),
      failed: new Promise((resolve) => {
        this.fail = resolve;
      }),
    };
  };
}

/** Lets everything run that waits for a settled promise. */
async function settle(): Promise<void> {
  await new Promise((done) => setImmediate(done));
}

describe('naru start', () => {
  test('says once that it is ready: version, listener, cluster, data, workers, crc, native calls, descriptors, milliseconds', async () => {
    const process = new FakeProcess();
    await start([], process);
    expect(process.output).toMatch(
      /^naru \d+\.\d+\.\d+ ready: PLAINTEXT:\/\/127\.0\.0\.1:9092, cluster abcdefghijklmnopqrstuv, data \/data, 2 workers, crc sse4\.2, native dup sendfile, 65536 descriptors, \d+ ms\n$/,
    );
    expect(process.exits).toEqual([]);
  });

  test('takes its options from a file, from --override, from --port and --data-dir', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'naru-start-'));
    try {
      const file = join(directory, 'server.properties');
      writeFileSync(file, 'num.partitions=3\nlog.dirs=/elsewhere\nnode.id=7\n');
      const process = new FakeProcess();
      await start(
        ['--config', file, '--override', 'num.partitions=4', '--override', 'naru.workers=0', '--port', '7001', '--data-dir', directory],
        process,
      );
      const { config } = process;
      expect([config?.numPartitions, config?.workers, config?.nodeId, config?.listeners[0]?.port, config?.logDirs]).toEqual([
        4,
        0,
        7,
        7001,
        [directory],
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('tells of unknown options in a warning', async () => {
    const process = new FakeProcess();
    await start(['--override', 'no.such.option=1'], process);
    expect(process.errors).toMatch(/WARN {2}\[config\] unknown option no\.such\.option \(command line\)\n$/);
  });

  test.each([
    ['a bad value', ['--override', 'log.segment.bytes=3'], 'naru: Invalid value 3 for configuration log.segment.bytes: '],
    ['a file that is not there', ['--config', '/no/such/file'], 'naru: the configuration /no/such/file cannot be read (ENOENT)'],
    ['an override without a value', ['--override', 'log.segment.bytes'], 'naru: --override takes key=value; "log.segment.bytes" was given'],
  ])('%s is one line and exit code 1', async (_what, args, message) => {
    const process = new FakeProcess();
    await start(args, process);
    expect(process.errors).toContain(message);
    expect(process.errors.split('\n')).toHaveLength(2);
    expect(process.exits).toEqual([1]);
    expect(process.config).toBeNull();
  });

  test.each([[['--port', 'x']], [['--port', '70000']], [['--nonsense']], [['stray']], [['--port', '1', '--port', '2']], [['--port']]])(
    '%s is no command line',
    async (args) => {
      await expect(start(args, new FakeProcess())).rejects.toThrow(UsageError);
    },
  );

  test('a taken port is one line and exit code 1', async () => {
    const process = new FakeProcess();
    process.boot = () =>
      Promise.reject(
        Object.assign(new Error('listen EADDRINUSE: address already in use'), { code: 'EADDRINUSE', address: '127.0.0.1', port: 9092 }),
      );
    await start([], process);
    expect([process.errors, process.exits, process.output]).toEqual([
      'naru: the address 127.0.0.1:9092 is taken by another process\n',
      [1],
      '',
    ]);
  });

  test('a port that is taken at all addresses is told with the brackets that such an address has', async () => {
    const process = new FakeProcess();
    const taken = { code: 'EADDRINUSE', address: '::', port: 9092 };
    process.boot = () => Promise.reject(Object.assign(new Error('listen EADDRINUSE: address already in use'), taken));
    await start([], process);
    expect(process.errors).toBe('naru: the address [::]:9092 is taken by another process\n');
  });

  test('any other failure of the start is its message on one line', async () => {
    const process = new FakeProcess();
    process.boot = () => Promise.reject(new Error('the directory /data is locked\nby another broker'));
    await start([], process);
    expect([process.errors, process.exits]).toEqual(['naru: the directory /data is locked by another broker\n', [1]]);
  });

  test('a broker that fails later ends the process with its reason', async () => {
    const process = new FakeProcess();
    await start([], process);
    process.fail(new Error('worker 1 ended'));
    await settle();
    expect([process.errors, process.exits]).toEqual(['naru: the broker failed: worker 1 ended\n', [1]]);
  });
});

describe('signals', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops cleanly, a second one at once with %i', async (signal, code) => {
    const process = new FakeProcess();
    await start([], process);
    process.signal(signal);
    expect([process.stopped, process.exits]).toEqual([1, []]);
    process.signal(signal);
    expect([process.stopped, process.exits]).toEqual([1, [code]]);
  });

  test('the exit code of a clean stop is 0', async () => {
    const process = new FakeProcess();
    await start([], process);
    process.signal('SIGTERM');
    process.finishStop();
    await settle();
    expect(process.exits).toEqual([0]);
  });

  test('one during the start calls it off, which is a clean stop', async () => {
    const process = new FakeProcess();
    process.boot = (calledOff) => new Promise((_done, fail) => calledOff.addEventListener('abort', () => fail(calledOff.reason)));
    const started = start([], process);
    await settle();
    expect(process.exits).toEqual([]);
    process.signal('SIGTERM');
    await started;
    expect([process.stopped, process.exits, process.output]).toEqual([0, [0], '']);
    expect(process.errors).toMatch(/^\S+ INFO {2}\[broker\] the start was called off reason=SIGTERM\n$/);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('a second %s during the start stops at once with %i', async (signal, code) => {
    const process = new FakeProcess();
    process.boot = () => new Promise(() => {});
    void start([], process);
    await settle();
    process.signal('SIGTERM');
    expect(process.exits).toEqual([]);
    process.signal(signal);
    expect(process.exits).toEqual([code]);
  });

  test('one that comes too late for the start to hear of it stops the broker as soon as it runs', async () => {
    const process = new FakeProcess();
    let boot = (): void => {};
    process.boot = () => new Promise((done) => (boot = done));
    const started = start([], process);
    await settle();
    process.signal('SIGTERM');
    expect(process.stopped).toBe(0);
    boot();
    await started;
    expect(process.stopped).toBe(1);
  });
});

describe('with naru.log.format=json every line is an object', () => {
  const JSON_ASKED = ['--override', 'naru.log.format=json'];
  const objects = (text: string): unknown[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  test('the ready line, alone on stdout', async () => {
    const process = new FakeProcess();
    await start([...JSON_ASKED, '--override', 'no.such.option=1'], process);
    expect(objects(process.output)).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        component: 'broker',
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        listeners: 'PLAINTEXT://127.0.0.1:9092',
        clusterId: 'abcdefghijklmnopqrstuv',
        directories: '/data',
        workers: 2,
        crc: 'sse4.2',
        native: 'dup sendfile',
        descriptors: 65_536,
        tookMs: expect.any(Number),
        msg: 'ready',
      },
    ]);
    expect(objects(process.errors)).toEqual([expect.objectContaining({ level: 40, component: 'config' })]);
  });

  const failure = (msg: unknown): unknown => ({ level: 50, time: expect.any(Number), component: 'broker', exitCode: 1, msg });

  test.each([
    ['a bad value', ['--override', 'log.segment.bytes=3'], expect.stringContaining('log.segment.bytes')],
    ['a file that is not there', ['--config', '/no/such/file'], 'the configuration /no/such/file cannot be read (ENOENT)'],
  ])('the reason why a configuration is refused: %s', async (_what, args, reason) => {
    const process = new FakeProcess();
    await start([...JSON_ASKED, ...args], process);
    expect([objects(process.errors), process.output, process.exits]).toEqual([[failure(reason)], '', [1]]);
  });

  test('also where the file that asks for it is refused', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'naru-start-'));
    try {
      const file = join(directory, 'server.properties');
      writeFileSync(file, 'naru.log.format = json\nlog.segment.bytes=3\n');
      const process = new FakeProcess();
      await start(['--config', file], process);
      expect(objects(process.errors)).toEqual([failure(expect.stringContaining('log.segment.bytes'))]);
      const plain = new FakeProcess();
      await start(['--config', file, '--override', 'naru.log.format=plain'], plain);
      expect(plain.errors).toMatch(/^naru: .*log\.segment\.bytes/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('the reason of a start that fails, and of a broker that does later, with its stack in one line', async () => {
    const process = new FakeProcess();
    process.boot = () => Promise.reject(new Error('the disk\nis gone'));
    await start(JSON_ASKED, process);
    expect(objects(process.errors)).toEqual([failure('the disk is gone')]);
    const later = new FakeProcess();
    await start(JSON_ASKED, later);
    later.fail(new TypeError('ours'));
    await settle();
    expect(objects(later.errors)).toEqual([failure(expect.stringMatching(/^the broker failed: TypeError: ours\n {4}at /))]);
    expect(later.exits).toEqual([1]);
  });
});
