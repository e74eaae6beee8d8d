// Blocks of producer ids: a broker takes a block from the controller and gives its ids to producers without asking again.
// Invariant: blocks never overlap, whatever crashes: the block is in the log before an id of it is given out.
// Pure.
import type { OperationResult } from './controller.ts';
import type { ClusterImage } from './image.ts';

/** Ids of a block (Kafka's number). */
const PRODUCER_ID_BLOCK_COUNT = 1000;

export interface ProducerIdBlock {
  readonly firstProducerId: number;
  /** 0 where the controller has none to give. */
  readonly count: number;
}

/** Gives the broker the next block. */
export function allocateProducerIds(image: ClusterImage, brokerId: number, brokerEpoch: number): OperationResult<ProducerIdBlock> {
  const firstProducerId = image.nextProducerId;
  return {
    records: [{ type: 'ProducerIdsRecord', brokerId, brokerEpoch, nextProducerId: firstProducerId + PRODUCER_ID_BLOCK_COUNT }],
    response: { firstProducerId, count: PRODUCER_ID_BLOCK_COUNT },
  };
}
