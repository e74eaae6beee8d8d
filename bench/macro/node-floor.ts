// What Node itself takes for a request that is written to a file and answered: a socket, a file and no broker. Takes the load generator's
// produce requests (kload produce PORT t 1 1 1 …), writes what one read brought by one call and answers each request with 64 bytes.
// The limit for a broker on Node, as peers/floor.c (`floor server`) is for any broker.
//   node bench/macro/node-floor.ts PORT FILE
import { openSync, writeSync } from 'node:fs';
import { createServer, Socket, type SocketConstructorOpts } from 'node:net';

const ANSWER_BYTES = 68;
const ANSWERS_MAX = 1024;
const FILE_BYTES_MAX = 2 ** 31;

const [portText, path] = process.argv.slice(2);
if (portText === undefined || path === undefined) throw new Error('PORT and FILE are needed');
const descriptor = openSync(path, 'w');
const received = Buffer.from(new SharedArrayBuffer(2 ** 20));
const answers = Buffer.alloc(ANSWER_BYTES * ANSWERS_MAX);
for (let i = 0; i < ANSWERS_MAX; i++) answers.writeInt32BE(ANSWER_BYTES - 4, i * ANSWER_BYTES);
let position = 0;

const server = createServer({ pauseOnConnect: true, noDelay: true }, (accepted) => {
  // Reads into one buffer, as the broker does, need a socket of their own over the accepted one's handle.
  const holder = accepted as unknown as { _handle: object | null };
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
        writeSync(descriptor, received, 0, length, position);
        position = (position + length) % FILE_BYTES_MAX;
        socket.write(answers.subarray(0, count * ANSWER_BYTES));
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
