// sendfile(2): a range of a file into a socket without passing through this process.
// The caller reads the socket's descriptor in the same synchronous block, and only while libuv has nothing queued for it.
// Runs on: the worker that owns the connection. A cold range blocks the thread: ask isRangeCached first.
import { declareNative, isKnownLinux, withMemoryFile } from './load.ts';

/**
 * Sends up to `length` bytes of `file` from `position` into `socket`. Returns how many went, fewer when the socket is full
 * (0 only at the end of the file), or a negative errno: -11 (EAGAIN) means that nothing goes now.
 */
export type SendFile = (socket: number, file: number, position: number, length: number) => number;

const offset = new BigInt64Array(1);

export const sendFile = declareNative<SendFile>('sendfile', (library) => {
  if (!isKnownLinux) return null;
  const sendfile = library.declare('int64_t sendfile(int out, int in, void *offset, size_t count)');
  const send: SendFile = (socket, file, position, length) => {
    offset[0] = BigInt(position);
    const sent = sendfile(socket, file, offset, length);
    return sent < 0 ? -library.errno() : sent;
  };
  const write = library.declare('int64_t pwrite(int descriptor, void *bytes, size_t count, int64_t position)');
  const read = library.declare('int64_t pread(int descriptor, void *bytes, size_t count, int64_t position)');
  const answers = withMemoryFile(library, (from) =>
    withMemoryFile(library, (to) => {
      const bytes = Buffer.from('a ferry landing');
      const seen = Buffer.alloc(bytes.length);
      return (
        write(from, bytes, bytes.length, 0) === bytes.length &&
        send(to, from, 2, 5) === 5 && // Written at the start of the other one: 'ferry'.
        read(to, seen, seen.length, 0) === 5 &&
        seen.toString('latin1', 0, 5) === 'ferry' &&
        send(to, from, bytes.length, 5) === 0 &&
        send(to, -1, 0, 1) === -9 // EBADF
      );
    }),
  );
  return answers ? send : null;
});
