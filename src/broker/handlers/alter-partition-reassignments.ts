// AlterPartitionReassignments: decided by the controller.
// Source: KIP-455, KIP-860.
import {
  alterPartitionReassignmentsRequest,
  alterPartitionReassignmentsResponse,
} from '../../protocol/apis/alter-partition-reassignments.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

export function alterPartitionReassignmentsHandler(context: BrokerContext): Handler {
  return (request) => {
    const { allowReplicationFactorChange, timeoutMs, topics } = decodeBody(request, alterPartitionReassignmentsRequest);
    const common = { throttleTimeMs: 0, allowReplicationFactorChange: true, errorMessage: null };
    const refuse = (errorCode: number): void => {
      const responses = topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, errorMessage: null })),
      }));
      answer(request, alterPartitionReassignmentsResponse, { ...common, errorCode, responses });
    };
    if (topics.length === 0) {
      // Kafka's answer has an empty text where nothing was asked.
      answer(request, alterPartitionReassignmentsResponse, { ...common, errorCode: ERROR.NONE, errorMessage: '', responses: [] });
      return true;
    }
    // Apache Kafka's controller looks at it too late, always.
    if (timeoutMs <= 0) {
      refuse(ERROR.REQUEST_TIMED_OUT);
      return true;
    }
    context.controller.ask('reassignPartitions', { allowReplicationFactorChange, topics }, (reassigned) => {
      if (reassigned === null) {
        refuse(ERROR.KAFKA_STORAGE_ERROR);
        return;
      }
      const responses = reassigned.map((each) => ({ ...each, partitions: [...each.partitions] }));
      answer(request, alterPartitionReassignmentsResponse, { ...common, allowReplicationFactorChange, errorCode: ERROR.NONE, responses });
    });
    return true;
  };
}
