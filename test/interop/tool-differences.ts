// Where the printed answers of Apache Kafka's tools differ from those of Apache Kafka 4.3.1, and why: lines that are not compared
// (tool-answers.test.ts). Invariant: each entry meets at least one line that does differ.

export interface ToolDifference {
  /** The call, with its number. */
  readonly call: RegExp;
  readonly line: RegExp;
  readonly reason: string;
}

const VERSIONS = /broker-api-versions/;
const BROKER_OPTIONS = /configs BROKER --describe --all --entity-type brokers/;

export const TOOL_DIFFERENCES: readonly ToolDifference[] = [
  { call: VERSIONS, line: /^Sasl(Handshake|Authenticate)\(/, reason: 'listeners are without SASL' },
  { call: VERSIONS, line: /^(AddPartitionsToTxn|AddOffsetsToTxn|EndTxn|WriteTxnMarkers|TxnOffsetCommit)\(/, reason: 'no transactions yet' },
  { call: VERSIONS, line: /^DescribeTransactions\(/, reason: 'no transactions yet' },
  { call: VERSIONS, line: /^\w+DelegationToken\(/, reason: 'no delegation tokens, which stand on SASL' },
  {
    call: VERSIONS,
    line: /^Alter(ClientQuotas|UserScramCredentials)\(/,
    reason: 'a quota or a credential that nothing enforces is not taken',
  },
  { call: VERSIONS, line: /^(Add|Remove)RaftVoter\(/, reason: 'the quorum is this one node' },
  { call: VERSIONS, line: /^\w*Share(Group|Fetch|Acknowledge)/, reason: 'no share groups' },
  { call: VERSIONS, line: /^StreamsGroup/, reason: 'no groups of the streams protocol' },
  {
    call: /share-groups BROKER --describe/,
    line: /GroupIdNotFoundException|SHARE_GROUP_DESCRIBE/,
    reason: 'no share groups',
  },
  {
    call: /transactions BROKER describe --transactional-id/,
    line: /^Failed to describe transaction state/,
    reason: 'a coordinator of transactions is refused as one that may not be used, so that clients do not ask for ever',
  },
  { call: BROKER_OPTIONS, line: /^naru\./, reason: 'options of our own' },
  { call: BROKER_OPTIONS, line: /^log\.dir=/, reason: 'another default' },
  { call: BROKER_OPTIONS, line: /^log\.initial\.task\.delay\.ms=/, reason: 'set for the test; Apache Kafka keeps this option to itself' },
  {
    call: BROKER_OPTIONS,
    line: /^(broker\.id|node\.id|process\.roles|advertised\.listeners|listeners|listener\.security\.protocol\.map)=/,
    reason: 'Apache Kafka must be told of itself in its file; this broker knows a single node by its defaults',
  },
  {
    call: BROKER_OPTIONS,
    line: /^controller\.(listener\.names|quorum\.voters)=/,
    reason: 'the quorum of one node needs no listener and no list of voters',
  },
  {
    call: /metadata-quorum BROKER describe --status/,
    line: /^CurrentVoters: /,
    reason:
      'Apache Kafka was started with a list of voters, which has no directories; this quorum is one of kraft.version 1, and listens for no other controller',
  },
  { call: /features BROKER describe/, line: /^Feature: kraft\.version /, reason: 'as above' },
];
