// ElectLeaders: decided by the controller.
// Source: KIP-183, KIP-460.
import { ELECTION_TYPE } from '../../metadata/elections.ts';
import { electLeadersRequest, electLeadersResponse } from '../../protocol/apis/elect-leaders.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

/** Version 0 cannot say that all of it failed. */
const TOP_ERROR_SINCE = 1;

export function electLeadersHandler(context: BrokerContext): Handler {
  return (request) => {
    const { electionType, topicPartitions, timeoutMs } = decodeBody(request, electLeadersRequest);
    const refuse = (errorCode: number, errorMessage: string | null): void => {
      answer(request, electLeadersResponse, {
        throttleTimeMs: 0,
        errorCode: request.apiVersion >= TOP_ERROR_SINCE ? errorCode : ERROR.NONE,
        replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
          topic,
          partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
        })),
      });
    };
    if (topicPartitions?.length === 0) refuse(ERROR.NONE, null);
    // Apache Kafka's controller looks at it too late, always.
    else if (timeoutMs <= 0) refuse(ERROR.REQUEST_TIMED_OUT, null);
    else if (!Object.values<number>(ELECTION_TYPE).includes(electionType)) {
      refuse(ERROR.INVALID_REQUEST, `Unknown election type ${electionType}`);
    } else {
      context.controller.ask('electLeaders', { electionType, topicPartitions }, (elected) => {
        if (elected === null) {
          refuse(ERROR.KAFKA_STORAGE_ERROR, null);
          return;
        }
        const replicaElectionResults = elected.map((each) => ({ ...each, partitionResult: [...each.partitionResult] }));
        answer(request, electLeadersResponse, { throttleTimeMs: 0, errorCode: ERROR.NONE, replicaElectionResults });
      });
    }
    return true;
  };
}
