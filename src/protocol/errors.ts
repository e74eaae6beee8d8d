// The protocol's error codes: one row each, with whether a client may send the same request again, and what a response says beside
// the code when nothing more exact is known.
// Pure. Source: the protocol guide, "Error Codes".

const rows = [
  [-1, 'UNKNOWN_SERVER_ERROR', false, 'The broker met an error that it has no name for.'],
  [0, 'NONE', false, ''],
  [1, 'OFFSET_OUT_OF_RANGE', false, "The offset lies before the log's start or beyond its end."],
  [2, 'CORRUPT_MESSAGE', true, "A batch's checksum or header is wrong."],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', true, 'This broker has no such topic or partition.'],
  [4, 'INVALID_FETCH_SIZE', false, 'The fetch size asked for is not allowed.'],
  [5, 'LEADER_NOT_AVAILABLE', true, 'The partition has no leader now: an election is under way.'],
  [6, 'NOT_LEADER_OR_FOLLOWER', true, "This broker is not the partition's leader, or holds no replica that may answer."],
  [7, 'REQUEST_TIMED_OUT', true, 'The time that the request gave has passed.'],
  [8, 'BROKER_NOT_AVAILABLE', false, 'The broker is not there.'],
  [9, 'REPLICA_NOT_AVAILABLE', true, 'The replica is not there to answer for this partition.'],
  [10, 'MESSAGE_TOO_LARGE', false, 'The batch is larger than the topic or the broker accepts.'],
  [11, 'STALE_CONTROLLER_EPOCH', false, 'A newer controller is known than the one that sent this.'],
  [12, 'OFFSET_METADATA_TOO_LARGE', false, 'The text that goes with the committed offset is too long.'],
  [13, 'NETWORK_EXCEPTION', true, 'The connection was lost before an answer came.'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', true, 'The coordinator is still loading its state.'],
  [15, 'COORDINATOR_NOT_AVAILABLE', true, 'There is no coordinator to ask yet.'],
  [16, 'NOT_COORDINATOR', true, 'Another broker is the coordinator.'],
  [17, 'INVALID_TOPIC_EXCEPTION', false, 'This is no name that a topic may have.'],
  [18, 'RECORD_LIST_TOO_LARGE', false, 'The batch is larger than a segment may be.'],
  [19, 'NOT_ENOUGH_REPLICAS', true, 'Fewer replicas are in sync than min.insync.replicas asks for; nothing was written.'],
  [
    20,
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    true,
    'The batch was written, but fewer replicas are in sync than min.insync.replicas asks for.',
  ],
  [21, 'INVALID_REQUIRED_ACKS', false, 'acks may be 0, 1 or -1.'],
  [22, 'ILLEGAL_GENERATION', false, 'The member speaks of another generation of the group than the present one.'],
  [23, 'INCONSISTENT_GROUP_PROTOCOL', false, 'The member shares no protocol with the rest of the group.'],
  [24, 'INVALID_GROUP_ID', false, 'This is no name that a group may have.'],
  [25, 'UNKNOWN_MEMBER_ID', false, 'The group has no such member.'],
  [26, 'INVALID_SESSION_TIMEOUT', false, "The session timeout lies outside the broker's bounds."],
  [27, 'REBALANCE_IN_PROGRESS', false, 'The group is rebalancing: join again.'],
  [28, 'INVALID_COMMIT_OFFSET_SIZE', false, 'The offsets to commit do not fit into a batch.'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', false, 'The principal may not do this to this topic.'],
  [30, 'GROUP_AUTHORIZATION_FAILED', false, 'The principal may not do this to this group.'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', false, 'The principal may not do this to the cluster.'],
  [32, 'INVALID_TIMESTAMP', false, "A record's timestamp lies outside the bounds that the topic allows."],
  [33, 'UNSUPPORTED_SASL_MECHANISM', false, 'The listener does not offer this SASL mechanism.'],
  [34, 'ILLEGAL_SASL_STATE', false, 'This request is not allowed at this point of the authentication.'],
  [35, 'UNSUPPORTED_VERSION', false, 'This version of the API is not served here.'],
  [36, 'TOPIC_ALREADY_EXISTS', false, 'There is a topic of this name already.'],
  [37, 'INVALID_PARTITIONS', false, 'A topic cannot have this number of partitions.'],
  [38, 'INVALID_REPLICATION_FACTOR', false, 'The replication factor is below 1 or above the number of usable brokers.'],
  [39, 'INVALID_REPLICA_ASSIGNMENT', false, 'The replicas assigned to the partitions are not a valid choice of brokers.'],
  [40, 'INVALID_CONFIG', false, 'A configuration key or its value is not valid.'],
  [41, 'NOT_CONTROLLER', true, 'Another node is the active controller.'],
  [42, 'INVALID_REQUEST', false, 'The request contradicts itself or the protocol.'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', false, "The log's record format cannot serve this request."],
  [44, 'POLICY_VIOLATION', false, 'A policy of this cluster refuses the request.'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', false, "The producer's sequence number does not follow its last one."],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', false, "The producer's sequence number was seen before."],
  [47, 'INVALID_PRODUCER_EPOCH', false, "The producer's epoch is older than the one this partition knows."],
  [48, 'INVALID_TXN_STATE', false, 'The transaction is in no state that allows this.'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', false, 'The producer id is not the one that belongs to this transactional id.'],
  [50, 'INVALID_TRANSACTION_TIMEOUT', false, 'The transaction timeout is above the limit that the broker sets.'],
  [51, 'CONCURRENT_TRANSACTIONS', true, 'Another operation on the same transaction has not ended yet.'],
  [52, 'TRANSACTION_COORDINATOR_FENCED', false, 'A newer coordinator of this transaction is known.'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', false, 'The principal may not use this transactional id.'],
  [54, 'SECURITY_DISABLED', false, 'The cluster has no security turned on that this could apply to.'],
  [55, 'OPERATION_NOT_ATTEMPTED', false, 'Nothing was done: an earlier part of the same request failed.'],
  [56, 'KAFKA_STORAGE_ERROR', true, 'The log directory of this partition failed and is offline.'],
  [57, 'LOG_DIR_NOT_FOUND', false, 'The broker has no such log directory.'],
  [58, 'SASL_AUTHENTICATION_FAILED', false, 'The credentials were not accepted.'],
  [59, 'UNKNOWN_PRODUCER_ID', false, 'The partition remembers nothing of this producer any more.'],
  [60, 'REASSIGNMENT_IN_PROGRESS', false, 'The partition is being moved to other brokers.'],
  [61, 'DELEGATION_TOKEN_AUTH_DISABLED', false, 'Delegation tokens are turned off here.'],
  [62, 'DELEGATION_TOKEN_NOT_FOUND', false, 'There is no such delegation token.'],
  [63, 'DELEGATION_TOKEN_OWNER_MISMATCH', false, 'The principal is neither the owner nor a renewer of this token.'],
  [64, 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', false, 'Delegation tokens may not be asked for over this connection.'],
  [65, 'DELEGATION_TOKEN_AUTHORIZATION_FAILED', false, 'The principal may not do this to delegation tokens.'],
  [66, 'DELEGATION_TOKEN_EXPIRED', false, 'The delegation token has expired.'],
  [67, 'INVALID_PRINCIPAL_TYPE', false, 'This kind of principal is not supported.'],
  [68, 'NON_EMPTY_GROUP', false, 'The group still has members.'],
  [69, 'GROUP_ID_NOT_FOUND', false, 'There is no such group.'],
  [70, 'FETCH_SESSION_ID_NOT_FOUND', true, 'The broker has no such fetch session: start a new one.'],
  [71, 'INVALID_FETCH_SESSION_EPOCH', true, 'The fetch session is at another epoch: start a new one.'],
  [72, 'LISTENER_NOT_FOUND', true, 'The leader has no listener of the name this request came in by.'],
  [73, 'TOPIC_DELETION_DISABLED', false, 'Topics cannot be deleted here: delete.topic.enable is false.'],
  [74, 'FENCED_LEADER_EPOCH', true, "The request's leader epoch is older than the broker's."],
  [75, 'UNKNOWN_LEADER_EPOCH', true, "The request's leader epoch is newer than the broker's."],
  [76, 'UNSUPPORTED_COMPRESSION_TYPE', false, 'This version of the request cannot carry the compression that was used.'],
  [77, 'STALE_BROKER_EPOCH', false, 'The broker registered again since it sent this.'],
  [78, 'OFFSET_NOT_AVAILABLE', true, 'The new leader does not know its high watermark yet.'],
  [79, 'MEMBER_ID_REQUIRED', false, 'Join again with the member id that goes with this answer.'],
  [80, 'PREFERRED_LEADER_NOT_AVAILABLE', true, 'The preferred leader cannot lead now.'],
  [81, 'GROUP_MAX_SIZE_REACHED', false, 'The group has as many members as it may have.'],
  [82, 'FENCED_INSTANCE_ID', false, 'Another member has taken over this group.instance.id.'],
  [83, 'ELIGIBLE_LEADERS_NOT_AVAILABLE', true, 'No replica that may lead is there.'],
  [84, 'ELECTION_NOT_NEEDED', true, 'The partition has the leader it should have.'],
  [85, 'NO_REASSIGNMENT_IN_PROGRESS', false, 'The partition is not being moved.'],
  [86, 'GROUP_SUBSCRIBED_TO_TOPIC', false, 'The group still subscribes to this topic, so its offsets stay.'],
  [87, 'INVALID_RECORD', false, 'A record breaks a rule of its topic or its format.'],
  [88, 'UNSTABLE_OFFSET_COMMIT', true, 'The offset belongs to a transaction that has not ended.'],
  [89, 'THROTTLING_QUOTA_EXCEEDED', true, 'The quota is used up: wait and try again.'],
  [90, 'PRODUCER_FENCED', false, 'A newer producer with the same transactional id has taken over.'],
  [91, 'RESOURCE_NOT_FOUND', false, 'There is no such resource.'],
  [92, 'DUPLICATE_RESOURCE', false, 'The request names the same resource twice.'],
  [93, 'UNACCEPTABLE_CREDENTIAL', false, 'The credential does not meet the requirements.'],
  [94, 'INCONSISTENT_VOTER_SET', false, 'The two sides know different sets of voters.'],
  [95, 'INVALID_UPDATE_VERSION', false, 'This is no version that the feature or record can be set to.'],
  [96, 'FEATURE_UPDATE_FAILED', false, 'The features could not be changed.'],
  [97, 'PRINCIPAL_DESERIALIZATION_FAILURE', false, 'The principal in a forwarded request cannot be read.'],
  [98, 'SNAPSHOT_NOT_FOUND', false, 'There is no such snapshot.'],
  [99, 'POSITION_OUT_OF_RANGE', false, "The position lies beyond the snapshot's end."],
  [100, 'UNKNOWN_TOPIC_ID', true, 'This broker has no topic with this id.'],
  [101, 'DUPLICATE_BROKER_REGISTRATION', false, 'A live broker is registered under this id.'],
  [102, 'BROKER_ID_NOT_REGISTERED', false, 'No broker is registered under this id.'],
  [103, 'INCONSISTENT_TOPIC_ID', true, 'The log belongs to a topic with another id.'],
  [104, 'INCONSISTENT_CLUSTER_ID', false, 'The request is meant for another cluster.'],
  [105, 'TRANSACTIONAL_ID_NOT_FOUND', false, 'There is no such transactional id.'],
  [106, 'FETCH_SESSION_TOPIC_ID_ERROR', true, 'The fetch session mixes topic names and topic ids: start a new one.'],
  [107, 'INELIGIBLE_REPLICA', false, 'This replica may not join the in-sync set now.'],
  [108, 'NEW_LEADER_ELECTED', false, 'The change made another replica the leader.'],
  [109, 'OFFSET_MOVED_TO_TIERED_STORAGE', false, 'The offset is in remote storage only.'],
  [110, 'FENCED_MEMBER_EPOCH', false, 'The coordinator has given this member up: join again.'],
  [111, 'UNRELEASED_INSTANCE_ID', false, 'Another member still holds this instance id.'],
  [112, 'UNSUPPORTED_ASSIGNOR', false, 'The coordinator does not know this assignor.'],
  [113, 'STALE_MEMBER_EPOCH', false, "The member's epoch is not the present one: heartbeat first."],
  [114, 'MISMATCHED_ENDPOINT_TYPE', false, 'The request went to a broker where a controller was meant, or the reverse.'],
  [115, 'UNSUPPORTED_ENDPOINT_TYPE', false, 'This kind of endpoint is not known.'],
  [116, 'UNKNOWN_CONTROLLER_ID', false, 'There is no controller with this id.'],
  [117, 'UNKNOWN_SUBSCRIPTION_ID', false, 'The telemetry subscription has changed: ask for it again.'],
  [118, 'TELEMETRY_TOO_LARGE', false, 'The telemetry pushed is larger than the broker accepts.'],
  [119, 'INVALID_REGISTRATION', false, 'The registration contradicts what the controller knows of this node.'],
  [120, 'TRANSACTION_ABORTABLE', false, 'The transaction failed and must be aborted.'],
  [121, 'INVALID_RECORD_STATE', false, 'The record is in no state that allows this acknowledgement.'],
  [122, 'SHARE_SESSION_NOT_FOUND', true, 'The broker has no such share session.'],
  [123, 'INVALID_SHARE_SESSION_EPOCH', true, 'The share session is at another epoch.'],
  [124, 'FENCED_STATE_EPOCH', false, 'A newer state epoch of the share partition is known.'],
  [125, 'INVALID_VOTER_KEY', false, "The voter's id and directory id belong to no voter here."],
  [126, 'DUPLICATE_VOTER', false, 'This voter is in the set already.'],
  [127, 'VOTER_NOT_FOUND', false, 'The set has no such voter.'],
  [128, 'INVALID_REGULAR_EXPRESSION', false, 'The regular expression cannot be read.'],
  [129, 'REBOOTSTRAP_REQUIRED', false, "The client's metadata is too old: start again from the bootstrap servers."],
  [130, 'STREAMS_INVALID_TOPOLOGY', false, 'The topology is not valid.'],
  [131, 'STREAMS_INVALID_TOPOLOGY_EPOCH', false, "The topology's epoch is not valid."],
  [132, 'STREAMS_TOPOLOGY_FENCED', false, 'A newer topology of this group is known.'],
  [133, 'SHARE_SESSION_LIMIT_REACHED', true, 'The broker has as many share sessions as it may have.'],
  [134, 'GROUP_DELETION_FAILED', false, 'The group could not be deleted.'],
  [135, 'STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED', false, 'The description of the topology could not be stored.'],
  [136, 'CONTROLLER_ID_NOT_REGISTERED', false, 'No controller is registered under this id.'],
] as const;

type Row = (typeof rows)[number];
type ErrorName = Row[1];

/** Code by name: ERROR.NONE is 0. */
export const ERROR = Object.fromEntries(rows.map(([code, name]) => [name, code])) as {
  readonly [N in ErrorName]: Extract<Row, readonly [number, N, boolean, string]>[0];
};

const byCode = new Map<number, Row>(rows.map((row) => [row[0], row]));

/** The name of a code; one that the table lacks is named by its number. */
export function errorName(code: number): string {
  return byCode.get(code)?.[1] ?? `error ${code}`;
}

/** Whether a client may send the same request again and hope. */
export function isRetriable(code: number): boolean {
  return byCode.get(code)?.[2] ?? false;
}

/** What a response says beside a code when its maker has nothing more exact to say; empty for NONE. */
export function errorMessage(code: number): string {
  return byCode.get(code)?.[3] ?? `Error ${code}.`;
}

/** Every row, for the reference page and the parity check. */
export const errorRows: readonly (readonly [code: number, name: string, isRetriable: boolean, message: string])[] = rows;
