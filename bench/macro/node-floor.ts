// What Node itself takes for a request that is written to a file and answered: a socket, a file and no broker. Takes the load generator's
// requests, writes what one read brought by one call (no FILE: `-`) and answers each request with 64 bytes: by the socket's own
// write, or, with `send`, by the system call as the broker does. The limit for a broker on Node, as peers/floor.c (`floor server`) is for any broker.
//   node bench/macro/node-floor.ts PORT FILE [send]     for kload produce PORT t 1 1 1 …
//   node bench/macro/node-floor.ts PORT -    [send]     for kload meta PORT 1 1 …
import { openSync, writeSync } from 'node:fs';
import { createServer, Socket, type SocketConstructorOpts } from 'node:net';
import { send, sendBytes } from '../../src/native/send.ts';

const ANSWER_BYTES = 68;
const ANSWERS_MAX = 1024;
const FILE_BYTES_MAX = 2 ** 31;

const [portText, path, way] = process.argv.slice(2);
if (portText === undefined || path === undefined) throw new Error('PORT and FILE are needed');
const descriptor = path === '-' ? -1 : openSync(path, 'w');
const call = way === 'send' ? send() : null;
if (way === 'send' && call === null) throw new Error('send(2) does not answer here');
const received = Buffer.from(new SharedArrayBuffer(2 ** 20));
const answers = Buffer.alloc(ANSWER_BYTES * ANSWERS_MAX);
for (let i = 0; i < ANSWERS_MAX; i++) answers.writeInt32BE(ANSWER_BYTES - 4, i * ANSWER_BYTES);
answers.copy(sendBytes, 0, 0, sendBytes.length);
let position = 0;

const server = createServer({ pauseOnConnect: true, noDelay: true }, (accepted) => {
  // Reads into one buffer, as the broker does, need a socket of their own over the accepted one's handle.
  const holder = accepted as unknown as { _handle: { readonly fd: number } | null };
  const handle = holder._handle;
  holder._handle = null;
  const options = {
    handle,
    readable: true,
    writable: true,
    onread: {
      buffer: received,
      callback(length: number): boolean {
        let count = 0;
        for (let at = 0; length - at >= 4; at += received.readInt32BE(at) + 4) count++;
        if (descriptor >= 0) {
          writeSync(descriptor, received, 0, length, position);
          position = (position + length) % FILE_BYTES_MAX;
        }
        if (call === null || handle === null) socket.write(answers.subarray(0, count * ANSWER_BYTES));
        else if (call(handle.fd, count * ANSWER_BYTES, false) !== count * ANSWER_BYTES) throw new Error('an answer was not sent in whole');
        return true;
      },
    },
  };
  const socket = new Socket(options as unknown as SocketConstructorOpts);
  socket.on('error', () => {});
  socket.on('end', () => socket.end());
  socket.resume();
});
server.listen(Number(portText), '127.0.0.1');
