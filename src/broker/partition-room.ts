// How many partitions this process may still take before its descriptors are spent: each keeps the files of its live segment open, and a log
// that finds none left takes its directory offline, from which not even a start recovers.
// Invariant: new partitions leave what is kept back for segments to come and for connections. Files of deleted topics count until
// file.delete.delay.ms is over, since so long they are open.
// Runs on: worker 0. Not here: how much that is (descriptor-budget.ts). Without a limit that somebody could tell everything fits.
import type { BrokerConfig } from '../config/broker-config.ts';
import { resolveTopicConfig } from '../config/topic-config.ts';
import { brokerOverrides } from '../metadata/config-rules.ts';
import type { ClusterImage } from '../metadata/image.ts';
import type { MetadataChange } from '../metadata/image-types.ts';
import { DESCRIPTORS_PER_PARTITION, raiseLimit } from './descriptor-advice.ts';

/** What the main thread tells of the descriptors, once the start has opened what it opens. */
export interface DescriptorShare {
  /** How many the process may have open. */
  readonly limit: number;
  /** Those that are open. */
  readonly used: number;
  /** Never given to new partitions; half of them may be taken by connections. */
  readonly kept: number;
}

interface PartitionRoomOptions {
  readonly config: BrokerConfig;
  readonly after: (delayMs: number, task: () => void) => void;
  /** How many partitions more than at the start are there, or their files still. */
  readonly onMore: (partitions: number) => void;
}

export class PartitionRoom {
  readonly #options: PartitionRoomOptions;
  #share: DescriptorShare | null = null;
  /** Partitions when the share was told: `used` has their files. */
  #countAtShare = 0;
  /** Of deleted topics, whose files are still open. */
  #leavingCount = 0;
  #connectionCount = 0;
  #toldMore = 0;

  constructor(options: PartitionRoomOptions) {
    this.#options = options;
  }

  begin(share: DescriptorShare, image: ClusterImage): void {
    this.#share = share;
    this.#countAtShare = image.partitionCount + this.#leavingCount;
  }

  set connectionCount(count: number) {
    this.#connectionCount = count;
  }

  /** Follows a change of the image. */
  onChange(change: MetadataChange, image: ClusterImage): void {
    const count = change.topicsDeleted.reduce((sum, { partitions }) => sum + partitions.length, 0);
    if (count > 0) {
      const { config, after } = this.#options;
      this.#leavingCount += count;
      after(resolveTopicConfig(new Map(), config, brokerOverrides(image, config.nodeId)).fileDeleteDelayMs, () => {
        this.#leavingCount -= count;
        this.#tellMore(image);
      });
    }
    this.#tellMore(image);
  }

  /** Why `wanted` more partitions do not fit beside those of `image`, or null. */
  fault(wanted: number, image: ClusterImage): string | null {
    if (this.#share === null || wanted === 0) return null;
    const { limit, used, kept } = this.#share;
    const free = limit - used - DESCRIPTORS_PER_PARTITION * this.#more(image);
    const left = Math.min(free - kept, free - this.#connectionCount - Math.ceil(kept / 2));
    const room = Math.max(0, Math.floor(left / DESCRIPTORS_PER_PARTITION));
    if (wanted <= room) return null;
    const leaving = this.#leavingCount === 0 ? '' : `, after file.delete.delay.ms for ${this.#leavingCount} more, whose topics are deleted`;
    return (
      `${wanted} partitions are too many for the limit of open files, which is ${limit}: there is room for ${room} more, of ` +
      `${DESCRIPTORS_PER_PARTITION} files each${leaving}. Raise it with ${raiseLimit(limit + DESCRIPTORS_PER_PARTITION * (wanted - room))}.`
    );
  }

  #more(image: ClusterImage): number {
    return image.partitionCount + this.#leavingCount - this.#countAtShare;
  }

  #tellMore(image: ClusterImage): void {
    if (this.#share === null) return;
    const more = this.#more(image);
    if (more === this.#toldMore) return;
    this.#toldMore = more;
    this.#options.onMore(more);
  }
}
