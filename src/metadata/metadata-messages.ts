// What the quorum actor and the metadata actors tell each other over the control channel. Structured-clone data only.
// Pure (types only).

/** From worker 0 to every worker, itself included: the whole state, once, before everything else. */
interface MetadataSnapshotMessage {
  readonly type: 'metadata-snapshot';
  /** Record batches that replay to the state of all records below `endOffset`. */
  readonly bytes: Uint8Array;
  readonly endOffset: number;
  readonly epoch: number;
}

/** From worker 0 to every worker, itself included: committed batches that follow on what was sent before. */
interface MetadataBatchMessage {
  readonly type: 'metadata-batch';
  /** Batches without any effect (NO_OP) may be left out of the bytes, never out of `endOffset`. */
  readonly bytes: Uint8Array;
  readonly endOffset: number;
  readonly epoch: number;
}

/** From each worker to worker 0: all records below `endOffset` are in its image, and its listeners have heard of them. */
export interface MetadataAppliedMessage {
  readonly type: 'metadata-applied';
  readonly worker: number;
  readonly endOffset: number;
}

export type MetadataMessage = MetadataSnapshotMessage | MetadataBatchMessage;
