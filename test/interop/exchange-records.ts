// The topics and records of the exchange: each record says who it is, and is the same whenever it is made again.
// Pure.
import { Buffer } from 'node:buffer';
import type { SentRecord, TopicSpec } from './exchange-model.ts';

const HOUR_MS = 3_600_000;
/** Keys of a partition that is compacted. */
const KEY_COUNT = 1500;
const FILLER_BYTES = 1 << 20;
/** Printable in Latin-1, without tabs and ends of lines: 94 of 256 values, which no codec makes much smaller. */
const FILLER = Buffer.from(noise(FILLER_BYTES)).toString('latin1');

/** Those of design: plain; compacted; both, with timestamps and the codec of the broker. Segments are as small as Apache Kafka lets them be. */
export const TOPICS: readonly TopicSpec[] = [
  {
    name: 'exchange.plain',
    partitionCount: 4,
    isCompacted: false,
    timestampType: 'C',
    configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'segment.bytes': '1048576', 'index.interval.bytes': '1024' },
  },
  {
    name: 'exchange.compacted',
    partitionCount: 3,
    isCompacted: true,
    timestampType: 'C',
    configs: {
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.01',
      'segment.bytes': '1048576',
      // Each owner's records are an hour behind those of the one before, so that they begin a segment, and those before may be compacted.
      'segment.ms': '1800000',
    },
  },
  {
    name: 'exchange.both',
    partitionCount: 2,
    isCompacted: true,
    timestampType: 'L',
    configs: {
      'cleanup.policy': 'compact,delete',
      'compression.type': 'zstd',
      'message.timestamp.type': 'LogAppendTime',
      'min.cleanable.dirty.ratio': '0.01',
      'retention.bytes': '1073741824',
      'segment.bytes': '1048576',
    },
  },
];

/** Makes the records that one owner of the directory gets, which go on in each partition where those before have ended. */
export class RecordSource {
  readonly #startMs: number;
  readonly #counts = new Map<string, number>();

  constructor(nowMs: number) {
    this.#startMs = nowMs - 10 * HOUR_MS;
  }

  /** `count` records for each partition of a topic, partition by partition. `hasOwnTime`: the client sets their timestamps. */
  take({ name, partitionCount, isCompacted }: TopicSpec, count: number, owner: number, hasOwnTime = true): SentRecord[] {
    const records: SentRecord[] = [];
    for (let partition = 0; partition < partitionCount; partition++) {
      const first = this.#counts.get(`${name}-${partition}`) ?? 0;
      this.#counts.set(`${name}-${partition}`, first + count);
      for (let n = first; n < first + count; n++) {
        // Now and then times run backwards.
        const timestampMs = this.#startMs + owner * HOUR_MS + n - (n % 50 === 0 ? 500 : 0);
        const label = `${name}-${partition}/${n}/${owner}/`;
        records.push({
          partition,
          timestampMs: hasOwnTime ? timestampMs : null,
          key: isCompacted ? `key ${(n * 7) % KEY_COUNT}` : n % 4 === 0 ? null : `key ${n % 997}`,
          value: n % 23 === 0 ? null : label + fillerOf(n * 104_729 + partition * 7919, 150 + (n % 150)),
          headers: n % 5 === 0 ? `owner=${owner};twice=${n};twice=\u00e9;none=~;empty=;` : '',
        });
      }
    }
    return records;
  }
}

function fillerOf(from: number, sizeBytes: number): string {
  const at = from % (FILLER_BYTES - sizeBytes);
  return FILLER.slice(at, at + sizeBytes);
}

/** The same bytes in each run. */
function noise(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = 0x2545f491;
  for (let i = 0; i < sizeBytes; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = 0xa1 + ((state >>> 8) % 94);
  }
  return bytes;
}
