// send(2) of a few bytes with MSG_MORE: what stands in front of a file range of a reply leaves in one packet with the range, and for a
// fraction of what a write through libuv costs. Never waits, never raises a signal.
// The caller reads the socket's descriptor in the same synchronous block, and only while libuv has nothing queued for it.
// Runs on: the worker that owns the connection.
import { declareNative, isKnownLinux } from './load.ts';

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 0x80001;

/** The most that one call sends. */
export const SEND_BYTES_MAX = 4096;

/**
 * Sends the first `length` bytes of `sendBytes`; `hasMore`: the kernel may wait for what is sent next. Returns how many went, or a
 * negative errno: -11 (EAGAIN) means that nothing goes now.
 */
export type Send = (socket: number, length: number, hasMore: boolean) => number;

/** What is to be sent is put here first: it may lie in shared memory, and no address of that is handed out. */
export const sendBytes = Buffer.alloc(SEND_BYTES_MAX);

export const send = declareNative<Send>('send', (library) => {
  if (!isKnownLinux) return null;
  const call = library.declare('int64_t send(int socket, void *bytes, size_t count, int flags)');
  const read = library.declare('int64_t read(int descriptor, void *bytes, size_t count)');
  const close = library.declare('int close(int descriptor)');
  const sendNow: Send = (socket, length, hasMore) => {
    const sent = call(socket, sendBytes, length, MSG_DONTWAIT | MSG_NOSIGNAL | (hasMore ? MSG_MORE : 0));
    return sent < 0 ? -library.errno() : sent;
  };
  const pair = new BigInt64Array(1); // Two ints.
  if (library.declare('int socketpair(int domain, int type, int protocol, void *pair)')(AF_UNIX, SOCK_STREAM_CLOEXEC, 0, pair) !== 0)
    return null;
  const [left = -1, right = -1] = new Int32Array(pair.buffer);
  const seen = Buffer.alloc(8);
  sendBytes.write('ferry!', 'latin1');
  const answers =
    sendNow(left, 5, false) === 5 &&
    read(right, seen, seen.length) === 5 &&
    seen.toString('latin1', 0, 5) === 'ferry' &&
    sendNow(-1, 1, false) === -9; // EBADF
  close(left);
  const hasEnded = sendNow(right, 1, false) === -32; // EPIPE, and no signal.
  close(right);
  return answers && hasEnded ? sendNow : null;
});
