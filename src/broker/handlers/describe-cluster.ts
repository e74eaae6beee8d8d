// DescribeCluster: the brokers and who controls them.
// Source: KIP-700, KIP-919 (endpoint types), KIP-1073 (fenced brokers).
import { describeClusterRequest, describeClusterResponse } from '../../protocol/apis/describe-cluster.ts';
import { CLUSTER_OPERATIONS, UNREQUESTED_OPERATIONS } from '../../protocol/authorized-operations.ts';
import { ERROR } from '../../protocol/errors.ts';
import { brokerAnswer, listenerOf } from '../broker-answers.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const BROKERS = 1;
const CONTROLLERS = 2;

export function describeClusterHandler(context: BrokerContext): Handler {
  return (request) => {
    const body = decodeBody(request, describeClusterRequest);
    const { image } = context.metadata;
    const common = { throttleTimeMs: 0, endpointType: BROKERS, clusterAuthorizedOperations: UNREQUESTED_OPERATIONS };
    if (body.endpointType !== BROKERS) {
      const isKnown = body.endpointType === CONTROLLERS;
      answer(request, describeClusterResponse, {
        ...common,
        errorCode: isKnown ? ERROR.MISMATCHED_ENDPOINT_TYPE : ERROR.UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage: isKnown
          ? 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'
          : `Unsupported endpoint type ${body.endpointType}`,
        clusterId: '',
        controllerId: -1,
        brokers: [],
      });
      return true;
    }
    answer(request, describeClusterResponse, {
      ...common,
      errorCode: ERROR.NONE,
      errorMessage: null,
      clusterId: image.clusterId,
      controllerId: context.nodeId,
      brokers: image.brokers
        .filter((broker) => !broker.isFenced || body.includeFencedBrokers)
        .flatMap((broker) => {
          const reached = brokerAnswer(broker, listenerOf(request, context));
          if (reached === null) return [];
          const { nodeId: brokerId, ...where } = reached;
          return [{ brokerId, ...where, isFenced: request.apiVersion >= 2 && broker.isFenced }];
        }),
      clusterAuthorizedOperations: body.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : UNREQUESTED_OPERATIONS,
    });
    return true;
  };
}
