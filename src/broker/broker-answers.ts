// Where clients reach a broker: at the endpoint of the listener that they came through, which is the one that they can reach.
// A broker that has no endpoint of that name is not there for them, as with Apache Kafka.
// Pure.
import type { BrokerImage } from '../metadata/image-types.ts';
import type { IncomingRequest } from '../network/incoming-request.ts';
import type { BrokerContext } from './broker-context.ts';

export interface BrokerAnswer {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** The name of the listener that a request came through. */
export function listenerOf(request: IncomingRequest, { config }: BrokerContext): string {
  return config.listeners[request.connection.listener]?.name ?? '';
}

export function isReachable(broker: BrokerImage, listener: string): boolean {
  return broker.endPoints.some(({ name }) => name === listener);
}

/** Null: it has no such listener. */
export function brokerAnswer(broker: BrokerImage, listener: string): BrokerAnswer | null {
  const endPoint = broker.endPoints.find(({ name }) => name === listener);
  return endPoint === undefined ? null : { nodeId: broker.brokerId, host: endPoint.host, port: endPoint.port, rack: broker.rack };
}

/** Those of `brokers` that have such a listener. */
export function brokerAnswers(brokers: Iterable<BrokerImage>, listener: string): BrokerAnswer[] {
  return [...brokers].map((broker) => brokerAnswer(broker, listener)).filter((each) => each !== null);
}
