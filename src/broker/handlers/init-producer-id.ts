// InitProducerId: an id for an idempotent producer, out of a block that this worker took from the controller.
// Invariant: an id is given once in the life of the cluster; what is left of a block at a stop is lost, not given again.
// Source: KIP-98, KIP-360.
import { MINUTE_MS } from '../../base/units.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../../protocol/apis/init-producer-id.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const NONE = -1;
/** Default of transaction.max.timeout.ms, which has no effect before transactions are served. */
const TRANSACTION_TIMEOUT_MAX_MS = 15 * MINUTE_MS;

export function initProducerIdHandler(context: BrokerContext): Handler {
  let next = 0;
  let left = 0;
  /** Those who wait for a block. */
  let waiting: ((isRefused: boolean) => void)[] = [];

  function withId(give: (producerId: number) => void): void {
    if (left > 0) {
      left--;
      give(next++);
      return;
    }
    waiting.push((isRefused) => {
      if (isRefused) give(NONE);
      else withId(give);
    });
    if (waiting.length > 1) return; // The block is on its way.
    context.controller.ask('allocateProducerIds', { brokerId: context.nodeId }, (block) => {
      next = block.firstProducerId;
      left = block.count;
      const due = waiting;
      waiting = [];
      for (const task of due) task(block.count === 0);
    });
  }

  return (request) => {
    const body = decodeBody(request, initProducerIdRequest);
    const reply = (errorCode: number, producerId: number, producerEpoch: number): void =>
      answer(request, initProducerIdResponse, {
        throttleTimeMs: 0,
        errorCode,
        producerId,
        producerEpoch,
        ongoingTxnProducerId: NONE,
        ongoingTxnProducerEpoch: NONE,
      });
    if ((body.producerId === NONE) !== (body.producerEpoch === NONE) || body.transactionalId === '') {
      reply(ERROR.INVALID_REQUEST, NONE, NONE);
    } else if (body.transactionalId !== null) {
      const isTimeoutGood = body.transactionTimeoutMs > 0 && body.transactionTimeoutMs <= TRANSACTION_TIMEOUT_MAX_MS;
      // Fatal for every client: there is no coordinator that could ever serve this transactional id.
      reply(isTimeoutGood ? ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED : ERROR.INVALID_TRANSACTION_TIMEOUT, NONE, NONE);
    }
    // An idempotent producer that asks to go on gets a new id, as from Apache Kafka: only transactions have epochs to raise.
    else {
      withId((producerId) => {
        // Without a block Apache Kafka says so as well: clients ask again.
        if (producerId === NONE) reply(ERROR.COORDINATOR_LOAD_IN_PROGRESS, NONE, NONE);
        else reply(ERROR.NONE, producerId, 0);
      });
    }
    return true;
  };
}
