// Fetch: opens the session, then a PendingFetch lives from the request to its answer.
// Source: the protocol guide; KIP-74 (the first batch is always whole), KIP-227 (sessions), KIP-320, KIP-516, KIP-595 (divergence).

import { READ_COMMITTED, READ_UNCOMMITTED } from '../../partition/partition-messages.ts';
import { PartitionMeter } from '../../partition/partition-meter.ts';
import { type FetchRequest, type FetchResponse, fetchRequest, fetchResponse } from '../../protocol/apis/fetch.ts';
import { ERROR } from '../../protocol/errors.ts';
import { AbortedTransactions } from '../aborted-transactions.ts';
import type { BrokerContext } from '../broker-context.ts';
import { missingAnswer } from '../fetch-errors.ts';
import { RESPONSE_BYTES_MAX } from '../fetch-limits.ts';
import { FetchSessions } from '../fetch-sessions.ts';
import { PendingFetch } from '../pending-fetch.ts';
import { TailLeases } from '../tail-leases.ts';
import { WaitingFetches } from '../waiting-fetches.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

/** Topics are named by their ids from here on. */
const TOPIC_IDS_SINCE = 13;

export function fetchHandler(context: BrokerContext): Handler {
  const sessions = new FetchSessions(context.config.maxIncrementalFetchSessionCacheSlots, context.runtime.random);
  const meter = new PartitionMeter(context.runtime.slots.partitions);
  const waiting = new WaitingFetches(context.runtime, context.words, meter);
  const leases = new TailLeases(context.words, context.metadata, meter);
  const { directories, metadata, runtime } = context;
  const aborted = new AbortedTransactions(runtime.storage, (topic, partition) => directories.pathOf(metadata.image, topic, partition));
  return (request) => {
    const body = decodeBody(request, fetchRequest);
    if (body.isolationLevel !== READ_UNCOMMITTED && body.isolationLevel !== READ_COMMITTED) {
      answer(request, fetchResponse, refuseAll(body, request.apiVersion));
      return true;
    }
    // What may not be sent is not waited for.
    body.maxBytes = Math.min(body.maxBytes, context.config.fetchMaxBytes);
    body.minBytes = Math.min(body.minBytes, body.maxBytes, RESPONSE_BYTES_MAX);
    const plan = sessions.open(body, request.apiVersion >= TOPIC_IDS_SINCE, context.runtime.clock.monotonicMs());
    if (plan.errorCode !== ERROR.NONE) {
      answer(request, fetchResponse, { throttleTimeMs: 0, errorCode: plan.errorCode, sessionId: 0, responses: [], nodeEndpoints: [] });
      return true;
    }
    new PendingFetch(context, { sessions, waiting, leases, aborted }, request, body, plan).start();
    return true;
  };
}

/** What Apache Kafka says of an isolation level that there is not; clients that name topics by ids look at the request's code alone. */
function refuseAll({ topics }: FetchRequest, apiVersion: number): FetchResponse {
  const errorCode = ERROR.UNKNOWN_SERVER_ERROR;
  return {
    throttleTimeMs: 0,
    errorCode,
    sessionId: 0,
    responses:
      apiVersion >= TOPIC_IDS_SINCE
        ? []
        : topics.map(({ topic, topicId, partitions }) => ({
            topic,
            topicId,
            partitions: partitions.map(({ partition }) => missingAnswer(partition, errorCode)),
          })),
    nodeEndpoints: [],
  };
}
