// Fetch: opens the session, then a PendingFetch lives from the request to its answer.
// Source: the protocol guide; KIP-74 (the first batch is always whole), KIP-227 (sessions), KIP-320, KIP-516, KIP-595 (divergence).
import { fetchRequest, fetchResponse } from '../../protocol/apis/fetch.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { FetchSessions } from '../fetch-sessions.ts';
import { PendingFetch } from '../pending-fetch.ts';
import { TailLeases } from '../tail-leases.ts';
import { WaitingFetches } from '../waiting-fetches.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

/** Topics are named by their ids from here on. */
const TOPIC_IDS_SINCE = 13;

export function fetchHandler(context: BrokerContext): Handler {
  const sessions = new FetchSessions(context.config.maxIncrementalFetchSessionCacheSlots, context.runtime.random);
  const waiting = new WaitingFetches(context.runtime, context.words);
  const leases = new TailLeases(context.words);
  return (request) => {
    const body = decodeBody(request, fetchRequest);
    const plan = sessions.open(body, request.apiVersion >= TOPIC_IDS_SINCE, context.runtime.clock.monotonicMs());
    if (plan.errorCode !== ERROR.NONE) {
      answer(request, fetchResponse, { throttleTimeMs: 0, errorCode: plan.errorCode, sessionId: 0, responses: [], nodeEndpoints: [] });
      return true;
    }
    new PendingFetch(context, { sessions, waiting, leases }, request, body, plan).start();
    return true;
  };
}
