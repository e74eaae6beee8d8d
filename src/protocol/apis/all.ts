// Every API that Kafka 4.3 has, served or not, by key: for clients of them, for tests and for tools.
// Pure. Not loaded by the broker, whose workers hold the tables of what they serve (index.ts) and no others.
import { addOffsetsToTxnRequest, addOffsetsToTxnResponse } from './add-offsets-to-txn.ts';
import { addPartitionsToTxnRequest, addPartitionsToTxnResponse } from './add-partitions-to-txn.ts';
import { addRaftVoterRequest, addRaftVoterResponse } from './add-raft-voter.ts';
import { allocateProducerIdsRequest, allocateProducerIdsResponse } from './allocate-producer-ids.ts';
import { alterClientQuotasRequest, alterClientQuotasResponse } from './alter-client-quotas.ts';
import { alterPartitionRequest, alterPartitionResponse } from './alter-partition.ts';
import { alterShareGroupOffsetsRequest, alterShareGroupOffsetsResponse } from './alter-share-group-offsets.ts';
import { alterUserScramCredentialsRequest, alterUserScramCredentialsResponse } from './alter-user-scram-credentials.ts';
import { assignReplicasToDirsRequest, assignReplicasToDirsResponse } from './assign-replicas-to-dirs.ts';
import { beginQuorumEpochRequest, beginQuorumEpochResponse } from './begin-quorum-epoch.ts';
import { brokerHeartbeatRequest, brokerHeartbeatResponse } from './broker-heartbeat.ts';
import { brokerRegistrationRequest, brokerRegistrationResponse } from './broker-registration.ts';
import { controllerRegistrationRequest, controllerRegistrationResponse } from './controller-registration.ts';
import { createDelegationTokenRequest, createDelegationTokenResponse } from './create-delegation-token.ts';
import { deleteShareGroupOffsetsRequest, deleteShareGroupOffsetsResponse } from './delete-share-group-offsets.ts';
import { deleteShareGroupStateRequest, deleteShareGroupStateResponse } from './delete-share-group-state.ts';
import { describeDelegationTokenRequest, describeDelegationTokenResponse } from './describe-delegation-token.ts';
import { describeShareGroupOffsetsRequest, describeShareGroupOffsetsResponse } from './describe-share-group-offsets.ts';
import { describeTransactionsRequest, describeTransactionsResponse } from './describe-transactions.ts';
import { endQuorumEpochRequest, endQuorumEpochResponse } from './end-quorum-epoch.ts';
import { endTxnRequest, endTxnResponse } from './end-txn.ts';
import { envelopeRequest, envelopeResponse } from './envelope.ts';
import { expireDelegationTokenRequest, expireDelegationTokenResponse } from './expire-delegation-token.ts';
import { fetchSnapshotRequest, fetchSnapshotResponse } from './fetch-snapshot.ts';
import { getTelemetrySubscriptionsRequest, getTelemetrySubscriptionsResponse } from './get-telemetry-subscriptions.ts';
import { type Api, apis } from './index.ts';
import { initializeShareGroupStateRequest, initializeShareGroupStateResponse } from './initialize-share-group-state.ts';
import { pushTelemetryRequest, pushTelemetryResponse } from './push-telemetry.ts';
import { readShareGroupStateRequest, readShareGroupStateResponse } from './read-share-group-state.ts';
import { readShareGroupStateSummaryRequest, readShareGroupStateSummaryResponse } from './read-share-group-state-summary.ts';
import { removeRaftVoterRequest, removeRaftVoterResponse } from './remove-raft-voter.ts';
import { renewDelegationTokenRequest, renewDelegationTokenResponse } from './renew-delegation-token.ts';
import { saslAuthenticateRequest, saslAuthenticateResponse } from './sasl-authenticate.ts';
import { saslHandshakeRequest, saslHandshakeResponse } from './sasl-handshake.ts';
import { shareAcknowledgeRequest, shareAcknowledgeResponse } from './share-acknowledge.ts';
import { shareFetchRequest, shareFetchResponse } from './share-fetch.ts';
import { shareGroupDescribeRequest, shareGroupDescribeResponse } from './share-group-describe.ts';
import { shareGroupHeartbeatRequest, shareGroupHeartbeatResponse } from './share-group-heartbeat.ts';
import { streamsGroupDescribeRequest, streamsGroupDescribeResponse } from './streams-group-describe.ts';
import { streamsGroupHeartbeatRequest, streamsGroupHeartbeatResponse } from './streams-group-heartbeat.ts';
import { txnOffsetCommitRequest, txnOffsetCommitResponse } from './txn-offset-commit.ts';
import { updateRaftVoterRequest, updateRaftVoterResponse } from './update-raft-voter.ts';
import { voteRequest, voteResponse } from './vote.ts';
import { writeShareGroupStateRequest, writeShareGroupStateResponse } from './write-share-group-state.ts';
import { writeTxnMarkersRequest, writeTxnMarkersResponse } from './write-txn-markers.ts';

const unserved: readonly Api[] = [
  { request: addOffsetsToTxnRequest, response: addOffsetsToTxnResponse },
  { request: addPartitionsToTxnRequest, response: addPartitionsToTxnResponse },
  { request: addRaftVoterRequest, response: addRaftVoterResponse },
  { request: allocateProducerIdsRequest, response: allocateProducerIdsResponse },
  { request: alterClientQuotasRequest, response: alterClientQuotasResponse },
  { request: alterPartitionRequest, response: alterPartitionResponse },
  { request: alterShareGroupOffsetsRequest, response: alterShareGroupOffsetsResponse },
  { request: alterUserScramCredentialsRequest, response: alterUserScramCredentialsResponse },
  { request: assignReplicasToDirsRequest, response: assignReplicasToDirsResponse },
  { request: beginQuorumEpochRequest, response: beginQuorumEpochResponse },
  { request: brokerHeartbeatRequest, response: brokerHeartbeatResponse },
  { request: brokerRegistrationRequest, response: brokerRegistrationResponse },
  { request: controllerRegistrationRequest, response: controllerRegistrationResponse },
  { request: createDelegationTokenRequest, response: createDelegationTokenResponse },
  { request: deleteShareGroupOffsetsRequest, response: deleteShareGroupOffsetsResponse },
  { request: deleteShareGroupStateRequest, response: deleteShareGroupStateResponse },
  { request: describeDelegationTokenRequest, response: describeDelegationTokenResponse },
  { request: describeShareGroupOffsetsRequest, response: describeShareGroupOffsetsResponse },
  { request: describeTransactionsRequest, response: describeTransactionsResponse },
  { request: endQuorumEpochRequest, response: endQuorumEpochResponse },
  { request: endTxnRequest, response: endTxnResponse },
  { request: envelopeRequest, response: envelopeResponse },
  { request: expireDelegationTokenRequest, response: expireDelegationTokenResponse },
  { request: fetchSnapshotRequest, response: fetchSnapshotResponse },
  { request: getTelemetrySubscriptionsRequest, response: getTelemetrySubscriptionsResponse },
  { request: initializeShareGroupStateRequest, response: initializeShareGroupStateResponse },
  { request: pushTelemetryRequest, response: pushTelemetryResponse },
  { request: readShareGroupStateSummaryRequest, response: readShareGroupStateSummaryResponse },
  { request: readShareGroupStateRequest, response: readShareGroupStateResponse },
  { request: removeRaftVoterRequest, response: removeRaftVoterResponse },
  { request: renewDelegationTokenRequest, response: renewDelegationTokenResponse },
  { request: saslAuthenticateRequest, response: saslAuthenticateResponse },
  { request: saslHandshakeRequest, response: saslHandshakeResponse },
  { request: shareAcknowledgeRequest, response: shareAcknowledgeResponse },
  { request: shareFetchRequest, response: shareFetchResponse },
  { request: shareGroupDescribeRequest, response: shareGroupDescribeResponse },
  { request: shareGroupHeartbeatRequest, response: shareGroupHeartbeatResponse },
  { request: streamsGroupDescribeRequest, response: streamsGroupDescribeResponse },
  { request: streamsGroupHeartbeatRequest, response: streamsGroupHeartbeatResponse },
  { request: txnOffsetCommitRequest, response: txnOffsetCommitResponse },
  { request: updateRaftVoterRequest, response: updateRaftVoterResponse },
  { request: voteRequest, response: voteResponse },
  { request: writeShareGroupStateRequest, response: writeShareGroupStateResponse },
  { request: writeTxnMarkersRequest, response: writeTxnMarkersResponse },
];

export const allApis: ReadonlyMap<number, Api> = new Map([...apis, ...unserved.map((api): [number, Api] => [api.request.apiKey, api])]);
