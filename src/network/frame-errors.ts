// What to say of bytes that are no Kafka request: which protocol they look like, and why the connection is closed.
// Pure.
import type { CloseCause } from './network-counters.ts';

const METHODS = ['GET ', 'POST', 'PUT ', 'HEAD', 'OPTI', 'DELE', 'PATC', 'CONN', 'TRAC', 'PRI '];
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 3;

/** Why a connection is closed. `reason` is for a person. */
export interface FrameError {
  readonly cause: CloseCause;
  readonly reason: string;
}

/** The error of a frame whose announced length is outside of [lengthMin, lengthMax]; its first four bytes are at `position`. */
export function badLength(bytes: Buffer, position: number, lengthMin: number, lengthMax: number): FrameError {
  const protocol = otherProtocol(bytes, position);
  if (protocol !== null) return { cause: 'not-kafka', reason: `not a Kafka request: looks like ${protocol}` };
  const length = bytes.readInt32BE(position);
  if (length < lengthMin) return { cause: 'frame-size', reason: `a frame of ${length} bytes, too short for a request` };
  return { cause: 'frame-size', reason: `a frame of ${length} bytes, more than socket.request.max.bytes=${lengthMax}` };
}

function otherProtocol(bytes: Buffer, position: number): string | null {
  if (bytes[position] === TLS_HANDSHAKE && bytes[position + 1] === TLS_MAJOR) return 'TLS (this listener is PLAINTEXT)';
  const start = bytes.toString('latin1', position, position + 4);
  if (METHODS.includes(start)) return 'HTTP';
  if (start === 'SSH-') return 'SSH';
  return null;
}
