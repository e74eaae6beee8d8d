// Records that say who they are: topic, partition, producer and sequence in plain text, and behind them bytes that follow from that text,
// so that a record that is found elsewhere, or one wrong byte in it, is noticed.
import { seededRandom } from '../../../src/base/random.ts';

const PATTERN_BYTES = 1 << 20;
/** Of a record's own bytes. */
export const FILLER_BYTES_MAX = PATTERN_BYTES / 2;
const pattern = Buffer.alloc(PATTERN_BYTES);
seededRandom(1).fill(pattern);

export interface Identity {
  readonly topicId: string;
  readonly partition: number;
  readonly producer: number;
  readonly sequence: number;
}

/** Where in the pattern the filler of a record starts. */
function fillerAt(head: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < head.length; i++) hash = Math.imul(hash ^ head.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % (PATTERN_BYTES - FILLER_BYTES_MAX);
}

export function valueFor({ topicId, partition, producer, sequence }: Identity, fillerBytes: number): Buffer {
  const head = `${topicId}|${partition}|${producer}|${sequence}|${fillerBytes}|`;
  const at = fillerAt(head);
  return Buffer.concat([Buffer.from(head), pattern.subarray(at, at + fillerBytes)]);
}

/** Who a value says it is. Throws where a byte of it is not as `valueFor` made it, or it is from elsewhere. */
export function identify(value: Uint8Array | null, topicId: string, partition: number): Identity {
  const bytes = Buffer.from(value ?? []);
  const parts = bytes.toString('latin1', 0, 120).split('|');
  const identity = { topicId: parts[0] ?? '', partition: Number(parts[1]), producer: Number(parts[2]), sequence: Number(parts[3]) };
  const fillerBytes = Number(parts[4]);
  const isSane = parts.length > 5 && fillerBytes >= 0 && fillerBytes <= FILLER_BYTES_MAX;
  if (!isSane || !bytes.equals(valueFor(identity, fillerBytes))) {
    throw new Error(`a value with wrong bytes: ${bytes.length} of them, beginning with ${bytes.toString('latin1', 0, 80)}`);
  }
  if (identity.topicId !== topicId || identity.partition !== partition) {
    throw new Error(`a record of ${identity.topicId}-${identity.partition} where one of ${topicId}-${partition} belongs`);
  }
  return identity;
}
