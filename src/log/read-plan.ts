// What a reader needs to fetch a range of a log: which file, from where, how many bytes. Planned by the log's owner, carried out by
// whoever has the connection.
// Pure. Reused: the planner overwrites every field.
import type { StorageFile } from './storage.ts';

export class ReadPlan {
  /** NONE, OFFSET_OUT_OF_RANGE, or CORRUPT_MESSAGE: what stands where the offset should be is no batch. */
  error = 0;
  /** Null where there is nothing to read. */
  file: StorageFile | null = null;
  /** The file's descriptor, for readDescriptor; -1 where there is nothing to read. */
  descriptor = -1;
  /** First byte of the batch that holds the offset asked for. */
  position = 0;
  /** Bytes; 0 where nothing is to be read. Ends at a batch's end, or inside a batch where the byte limit fell there. */
  length = 0;
  /** Where the range would end without the byte limit: `length < available` means that more can be had at once. */
  available = 0;
  /** Size of the first batch. */
  firstBatchBytes = 0;
  /** Base offset of the first batch: at most the offset asked for, unless compaction made a gap. */
  startOffset = 0;
  segmentBaseOffset = 0;

  reset(): void {
    this.error = 0;
    this.file = null;
    this.descriptor = -1;
    this.position = 0;
    this.length = 0;
    this.available = 0;
    this.firstBatchBytes = 0;
    this.startOffset = 0;
    this.segmentBaseOffset = 0;
  }
}
