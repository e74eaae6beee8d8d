// The cluster's metadata on one worker: replays what was committed into the worker's image and tells those who asked to hear.
// Invariant: listeners see the image after a whole message, never in the midst of one; the quorum worker hears "applied" after them.
// Runs on: every worker. Not the controller: nothing is decided here.
import { CONTROL_TYPE } from '../protocol/records/control.ts';
import { decodeKraftVersion } from './control-batches.ts';
import { ClusterImage } from './image.ts';
import type { MetadataChange } from './image-types.ts';
import type { MetadataAppliedMessage, MetadataMessage } from './metadata-messages.ts';
import { visitRecordBatches } from './record-batch.ts';

type MetadataListener = (change: MetadataChange, image: ClusterImage) => void;

interface MetadataActorOptions {
  readonly clusterId: string;
  readonly workerIndex: number;
  /** Brings the message to the quorum actor on worker 0. */
  readonly sendApplied: (message: MetadataAppliedMessage) => void;
}

interface Waiting {
  readonly endOffset: number;
  readonly task: () => void;
}

export class MetadataActor {
  readonly image: ClusterImage;
  readonly #options: MetadataActorOptions;
  readonly #listeners: MetadataListener[] = [];
  /** By end offset, ascending; equal ones in the order in which they came. */
  readonly #waiting: Waiting[] = [];

  constructor(options: MetadataActorOptions) {
    this.#options = options;
    this.image = new ClusterImage(options.clusterId);
  }

  /** All records below are applied on this worker; 0 before the first message. Goes along with every request to another worker. */
  get appliedOffset(): number {
    return this.image.endOffset;
  }

  /** `listener` is called after each message that changed something, the snapshot of the start included, in order of registration. */
  onChange(listener: MetadataListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Calls `task` once all records below `endOffset` are applied here: at once where they are. For a request of a worker
   * that is ahead of this one.
   */
  whenApplied(endOffset: number, task: () => void): void {
    if (endOffset <= this.appliedOffset) {
      task();
      return;
    }
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1] as Waiting).endOffset > endOffset) at--;
    this.#waiting.splice(at, 0, { endOffset, task });
  }

  /** Takes a message of the quorum actor. Throws ImageError where it cannot be replayed: this worker's image is lost then. */
  receive(message: MetadataMessage): void {
    const { image } = this;
    let snapshotOffset = 0; // Offsets within a snapshot are of its own; they only name a record in an error.
    const isSnapshot = message.type === 'metadata-snapshot';
    visitRecordBatches(message.bytes, {
      record: (record, offset) => image.replay(record, isSnapshot ? snapshotOffset++ : offset),
      control: (type, value) => {
        if (type === CONTROL_TYPE.KRAFT_VERSION) image.kraftVersion = decodeKraftVersion(value);
      },
    });
    image.endOffset = message.endOffset;
    image.epoch = message.epoch;
    const change = image.takeChange();
    if (isChange(change)) for (const listener of this.#listeners) listener(change, image);
    this.#options.sendApplied({ type: 'metadata-applied', worker: this.#options.workerIndex, endOffset: message.endOffset });
    let due = 0;
    while (due < this.#waiting.length && (this.#waiting[due] as Waiting).endOffset <= message.endOffset) due++;
    for (const { task } of this.#waiting.splice(0, due)) task();
  }
}

function isChange(change: MetadataChange): boolean {
  return (
    change.topicsCreated.length +
      change.topicsDeleted.length +
      change.partitionsChanged.length +
      change.configsChanged.length +
      change.brokersChanged.length +
      change.featuresChanged.length >
    0
  );
}
