// By which way the records of an answer leave, for ranges of 1 to 64 KiB in the page cache: read into the reply and written with it, copied into it
// out of a tail kept in shared memory and written with it, or sent from the file by sendfile(2). The other end of the socket is read in the same
// thread, which all ways pay alike; "into the reply" is the part without the socket. docs/decisions/0017-sendfile.md has the figures.
// Run: node bench/micro/leave.bench.ts [--short]
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { copyShared } from '../../src/base/shared-copy.ts';
import { KIB, MIB } from '../../src/base/units.ts';
import { sendFile } from '../../src/native/sendfile.ts';

const SIZES = [1, 4, 16, 64].map((kib) => kib * KIB);
const FILE_BYTES = 16 * MIB;
/** Beside the sources: a disk where /tmp may be memory. */
const directory = mkdtempSync(join(process.cwd(), 'node_modules/.leave-'));

const isShort = process.argv.includes('--short');
const bench = new Bench({ time: isShort ? 20 : 500, warmupTime: isShort ? 5 : 100 });
const { here, there } = await connectedPair();
const path = join(directory, 'segment');
writeFileSync(path, Buffer.alloc(FILE_BYTES, 'record'));
const file = openSync(path, 'r');
const tail = Buffer.from(new SharedArrayBuffer(FILE_BYTES)).fill('record');
const reply = Buffer.from(new SharedArrayBuffer(64 * KIB));
const sink = Buffer.allocUnsafeSlow(64 * KIB);
const socket = descriptorOf(here);
const peer = descriptorOf(there);
const send = sendFile();
let place = 0;

/** The next range, so that not one and the same lies in the processor's nearest cache. */
function next(length: number): number {
  place = place + 2 * length > FILE_BYTES ? 0 : place + length;
  return place;
}

function written(length: number): void {
  for (let sent = 0; sent < length; ) sent += writeSync(socket, reply, sent, length - sent);
  drained(length);
}

function drained(length: number): void {
  for (let got = 0; got < length; ) got += received(length - got);
}

/** What is written to a connection over loopback is there at once, but for a kernel that is busy. */
function received(most: number): number {
  try {
    return readSync(peer, sink, 0, most, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

for (const length of SIZES) {
  const label = `${length / KIB} KiB`;
  bench.add(`${label}, into the reply: read`, () => void readSync(file, reply, 0, length, next(length)));
  bench.add(`${label}, into the reply: copied`, () => copyShared(tail, next(length), reply, 0, length));
  if (socket < 0 || peer < 0) continue; // Sockets have no descriptors here.
  bench.add(`${label}, out of the socket: read and written`, () => {
    readSync(file, reply, 0, length, next(length));
    written(length);
  });
  bench.add(`${label}, out of the socket: copied and written`, () => {
    copyShared(tail, next(length), reply, 0, length);
    written(length);
  });
  if (send === null) continue;
  bench.add(`${label}, out of the socket: sendfile`, () => {
    const from = next(length);
    for (let sent = 0; sent < length; ) {
      const count = send(socket, file, from + sent, length - sent);
      if (count <= 0) throw new Error(`sendfile answered ${count}`);
      sent += count;
    }
    drained(length);
  });
}

try {
  await bench.run();
  for (const task of bench.tasks) {
    const { result } = task;
    if (!('latency' in result)) throw new Error(`${task.name} gave no result`);
    const { p50, p75 } = result.latency;
    console.log(`${task.name.padEnd(48)} ${(p50 * 1e3).toFixed(2).padStart(8)} µs median, ${(p75 * 1e3).toFixed(2).padStart(8)} at 75 %`);
  }
} finally {
  here.destroy();
  there.destroy();
  closeSync(file);
  rmSync(directory, { recursive: true, force: true });
}

/** Two ends of a connection over loopback, neither of which libuv reads. */
async function connectedPair(): Promise<{ here: Socket; there: Socket }> {
  const server = createServer({ pauseOnConnect: true, noDelay: true });
  const accepted = new Promise<Socket>((done) => server.once('connection', done));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const connecting = connect({ port: address.port, host: '127.0.0.1', noDelay: true });
  connecting.pause();
  const here = await accepted;
  server.close();
  return { here, there: connecting };
}

/** −1 where there is none. */
function descriptorOf(end: Socket): number {
  return (end as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd ?? -1;
}
