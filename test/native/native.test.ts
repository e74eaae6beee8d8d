import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { duplicateDescriptor } from '../../src/native/dup.ts';
import { configureNative, declareNative, nativeCalls } from '../../src/native/load.ts';
import { posixLock } from '../../src/native/posix-lock.ts';
import { raiseDescriptorLimit } from '../../src/native/raise-descriptor-limit.ts';
import { CANNOT_TELL, READ_CACHED_BYTES_MAX, rangeCached, readCached, WOULD_WAIT } from '../../src/native/range-cached.ts';
import { SEND_BYTES_MAX, send, sendBytes } from '../../src/native/send.ts';
import { sendFile } from '../../src/native/sendfile.ts';
import { skipSuite } from '../support/skip.ts';

const isOff = process.env.NARU_NATIVE === 'off';
const isLinux = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');

let directory = '';

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'naru-native-'));
});

afterEach(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

function openFile(name: string, content: string | Uint8Array): { path: string; descriptor: number } {
  const path = join(directory, name);
  fs.writeFileSync(path, content);
  return { path, descriptor: fs.openSync(path, 'r+') };
}

/** Asks the kernel to drop the file's clean pages (`dd oflag=nocache`: posix_fadvise) until it has, which a busy machine may put off. */
function isDropped(path: string, isGone: () => boolean): boolean {
  for (let attempt = 0; attempt < 50; attempt++) {
    spawnSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none', 'if=/dev/null']);
    if (isGone()) return true;
  }
  return false;
}

function present<T>(call: T | null): T {
  if (call === null) throw new Error('the call does not answer on this machine');
  return call;
}

/** Runs this module's source in another process and gives what it prints. */
function inAnotherProcess(source: string): string {
  const result = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', source], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  if (result.status !== 0) throw new Error(result.stderr);
  return result.stdout.trim();
}

describe('native calls', () => {
  skipSuite(isOff ? 'native calls are switched off' : isLinux ? null : 'native calls are for Linux so far');

  test('dup answers while other threads open and close files', async () => {
    const opening = new Worker("const fs = require('node:fs'); for (;;) fs.closeSync(fs.openSync('/dev/null'));", { eval: true });
    try {
      await once(opening, 'online');
      for (let round = 0; round < 300; round++) {
        vi.resetModules();
        const fresh: typeof import('../../src/native/dup.ts') = await import('../../src/native/dup.ts');
        expect(fresh.duplicateDescriptor()).not.toBeNull();
      }
    } finally {
      await opening.terminate();
    }
  });

  test('those that answer are named', () => {
    for (const call of [duplicateDescriptor, posixLock, raiseDescriptorLimit, rangeCached, send, sendFile]) expect(call()).not.toBeNull();
    expect(nativeCalls()).toEqual(['dup', 'posix-lock', 'preadv2', 'raise-descriptor-limit', 'send', 'sendfile']);
  });

  test('the boot line asks for all of them, in a process that has asked for none', () => {
    const source = `
      import { allNativeCalls } from '../../src/native/native-calls.ts';
      console.log(allNativeCalls().join(' '));`;
    expect(inAnotherProcess(source)).toBe('dup posix-lock preadv2 raise-descriptor-limit send sendfile');
  });

  test('a duplicated descriptor reads the file after the first one is closed, and a closed one gives -EBADF', () => {
    const duplicate = present(duplicateDescriptor());
    const { descriptor } = openFile('a', 'landing');
    const second = duplicate(descriptor);
    fs.closeSync(descriptor);
    expect(fs.readFileSync(second, 'utf8')).toBe('landing');
    fs.closeSync(second);
    expect(duplicate(second)).toBe(-9);
  });

  test('a lock that this process holds keeps another process out, until it is given up', () => {
    const lock = present(posixLock());
    const { path, descriptor } = openFile('.lock', '');
    const attempt = `
      import * as fs from 'node:fs';
      import { posixLock } from '../../src/native/posix-lock.ts';
      const descriptor = fs.openSync(${JSON.stringify(path)}, 'r+');
      const lock = posixLock();
      console.log(lock.tryLock(descriptor), lock.holder(descriptor));`;
    expect(lock.tryLock(descriptor)).toBe('taken');
    expect(inAnotherProcess(attempt)).toBe('held -1');
    expect(lock.unlock(descriptor)).toBe(true);
    expect(inAnotherProcess(attempt)).toBe('taken 0');
    fs.closeSync(descriptor);
  });

  test('a file that is not open for writing cannot be locked', () => {
    const { path, descriptor } = openFile('.lock', '');
    fs.closeSync(descriptor);
    const readOnly = fs.openSync(path, 'r');
    expect(present(posixLock()).tryLock(readOnly)).toBe('refused');
    fs.closeSync(readOnly);
  });

  test("the lock is the one that Java's FileChannel.tryLock sees", (context) => {
    context.skip(spawnSync('java', ['-version']).status !== 0, 'no Java on this machine');
    const lock = present(posixLock());
    const { path, descriptor } = openFile('.lock', '');
    const source = join(directory, 'TryLock.java');
    fs.writeFileSync(
      source,
      `public class TryLock { public static void main(String[] a) throws Exception {
         var channel = java.nio.channels.FileChannel.open(java.nio.file.Path.of(a[0]), java.nio.file.StandardOpenOption.WRITE);
         System.out.print(channel.tryLock() == null ? "held" : "taken"); } }`,
    );
    const java = (): string => spawnSync('java', [source, path], { encoding: 'utf8' }).stdout;
    lock.tryLock(descriptor);
    expect(java()).toBe('held');
    lock.unlock(descriptor);
    expect(java()).toBe('taken');
    fs.closeSync(descriptor);
  });

  test('the descriptor limit becomes the hard one', () => {
    const script = 'import { raiseDescriptorLimit } from "./src/native/raise-descriptor-limit.ts"; console.log(raiseDescriptorLimit()())';
    const command = `ulimit -S -n 300; ulimit -H -n 900; ulimit -S -n; exec "$0" --input-type=module-typescript -e '${script}'`;
    const result = spawnSync('sh', ['-c', command, process.execPath], { encoding: 'utf8', cwd: join(import.meta.dirname, '../..') });
    expect(result.stdout.trim().split('\n')).toEqual(['300', '900']);
  });

  test('send gives a socket the bytes in its landing, and says when there is no room or nobody', async () => {
    const sendNow = present(send());
    const server = net.createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
    const client = net.connect(address.port, '127.0.0.1');
    client.on('error', () => {});
    const other = await accepted;
    const socket = Number(Reflect.get(Object(Reflect.get(client, '_handle')), 'fd'));
    const sent: Buffer[] = [];
    // In front of more, then without: both arrive, until the other side, which does not read, has no room.
    for (let round = 0; ; round++) {
      sendBytes.fill(round & 255);
      const length = round < 2 ? 5 : SEND_BYTES_MAX;
      const count = sendNow(socket, length, round % 2 === 0);
      if (count === -11) break;
      expect(count).toBeGreaterThan(0);
      sent.push(Buffer.from(sendBytes.subarray(0, count)));
    }
    const received: Buffer[] = [];
    const wanted = Buffer.concat(sent);
    await new Promise<void>((resolve) => {
      let bytes = 0;
      other.on('data', (piece: Buffer) => {
        received.push(piece);
        bytes += piece.length;
        if (bytes >= wanted.length) resolve();
      });
      other.resume();
    });
    expect(Buffer.concat(received).equals(wanted)).toBe(true);
    other.resetAndDestroy();
    await new Promise((resolve) => client.once('close', resolve));
    expect(sendNow(-1, 1, false)).toBe(-9);
    server.close();
  });

  test('sendfile puts a range of a file into a socket', async () => {
    const send = present(sendFile());
    const content = Buffer.alloc(300_000, 'the ferry crosses the river ');
    const { descriptor } = openFile('segment', content);
    const received: Buffer[] = [];
    const server = net.createServer((socket) => {
      socket.on('data', (bytes: Buffer) => received.push(bytes));
      socket.on('end', () => server.close());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const client = net.connect(address.port, '127.0.0.1');
    await new Promise((resolve) => client.once('connect', resolve));
    const handle: unknown = Reflect.get(client, '_handle');
    const socket = Number(Reflect.get(Object(handle), 'fd'));
    let position = 1_000;
    const end = 250_000;
    while (position < end) {
      const sent = send(socket, descriptor, position, end - position);
      if (sent === -11) await new Promise((resolve) => setTimeout(resolve, 1));
      else expect(sent).toBeGreaterThan(0);
      if (sent > 0) position += sent;
    }
    expect(send(socket, descriptor, content.length, 10)).toBe(0);
    const closed = new Promise((resolve) => server.once('close', resolve));
    client.end();
    await closed;
    expect(Buffer.concat(received).equals(content.subarray(1_000, end))).toBe(true);
    fs.closeSync(descriptor);
  });

  test('a range that was just written is warm, or the file system cannot tell; a range that was dropped is not warm', () => {
    const isCached = present(rangeCached());
    const { path, descriptor } = openFile('segment', Buffer.alloc(1_000_000, 1));
    expect(isCached(descriptor, 0, 1_000_000)).not.toBe(false);
    expect(isCached(descriptor, 2_000_000, 10)).not.toBe(false);
    if (isCached(descriptor, 0, 1) === null) return; // tmpfs
    fs.fsyncSync(descriptor);
    expect(isDropped(path, () => isCached(descriptor, 0, 1_000_000) === false)).toBe(true);
    fs.readFileSync(path);
    expect(isCached(descriptor, 0, 1_000_000)).toBe(true);
    fs.closeSync(descriptor);
  });

  test('bytes are read where they are in the page cache: whole, or up to the end of the file, or not at all', () => {
    const read = present(readCached());
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
    const { path, descriptor } = openFile('segment', content);
    const target = new Uint8Array(READ_CACHED_BYTES_MAX + 10);
    const answer = read(descriptor, target, 10, READ_CACHED_BYTES_MAX, 5000);
    if (answer === CANNOT_TELL) return; // tmpfs
    expect(answer).toBe(READ_CACHED_BYTES_MAX);
    expect(Buffer.from(target)).toEqual(Buffer.concat([Buffer.alloc(10), content.subarray(5000, 5000 + READ_CACHED_BYTES_MAX)]));
    expect([99_990, 100_000, 200_000].map((position) => read(descriptor, target, 0, 100, position))).toEqual([10, 0, 0]);
    expect([...target.subarray(0, 11)]).toEqual([...content.subarray(99_990), target[10]]);
    fs.fsyncSync(descriptor);
    expect(isDropped(path, () => read(descriptor, target, 0, 100, 0) === WOULD_WAIT)).toBe(true);
    fs.closeSync(descriptor);
    expect(read(descriptor, target, 0, 100, 0)).toBe(CANNOT_TELL);
  });

  test('a call that cannot be declared, or whose self-test is not passed, is null', () => {
    expect(declareNative('nowhere', (library) => library.declare('int naru_no_such_symbol(int value)'))()).toBeNull();
    expect(declareNative('wrong', () => null)()).toBeNull();
    const throwing = declareNative('throwing', () => {
      throw new Error('self-test');
    });
    expect(throwing()).toBeNull();
    expect(nativeCalls()).not.toContain('nowhere');
  });

  test('switched off, no call answers and koffi is not loaded', () => {
    const source = `
      import { createRequire } from 'node:module';
      import { configureNative, nativeCalls } from '../../src/native/load.ts';
      import { duplicateDescriptor } from '../../src/native/dup.ts';
      configureNative({ enabled: false });
      const cache = createRequire(import.meta.url).cache;
      console.log(duplicateDescriptor(), nativeCalls().length, Object.keys(cache).some((path) => path.includes('koffi')));`;
    expect(inAnotherProcess(source)).toBe('null 0 false');
  });
});

test('the variable NARU_NATIVE=off has the last word', () => {
  const before = process.env.NARU_NATIVE;
  process.env.NARU_NATIVE = 'off';
  try {
    configureNative({ enabled: true });
    expect(duplicateDescriptor()).toBeNull();
  } finally {
    if (before === undefined) delete process.env.NARU_NATIVE;
    else process.env.NARU_NATIVE = before;
    configureNative({ enabled: true });
  }
});
