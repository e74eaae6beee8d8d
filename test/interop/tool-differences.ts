// Where the printed answers of Apache Kafka's tools differ from those of Apache Kafka 4.3.1, and why: lines that are not compared
// (tool-answers.test.ts).
import type { Difference } from './recorded-answers.ts';

const VERSIONS = /broker-api-versions/;
const BROKER_OPTIONS = /configs BROKER --describe --all --entity-type brokers/;

export const TOOL_DIFFERENCES: readonly Difference[] = [
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
    call: /streams-groups BROKER --describe/,
    line: /GroupIdNotFoundException|STREAMS_GROUP_DESCRIBE/,
    reason: 'no groups of the streams protocol',
  },
  {
    call: /^\d+ delegation-tokens .*--command-config/,
    line: /UnsupportedByAuthenticationException|UnsupportedVersionException/,
    reason: 'no delegation tokens: refused for that, and not for a listener that may not ask',
  },
  {
    call: /metadata-quorum BROKER remove-controller/,
    line: /UnsupportedVersionException/,
    reason: 'the quorum is this one node: it takes no other in and lets none go, whatever kraft.version is',
  },
  {
    call: /--add-config log\.cleaner\.threads=0/,
    line: /InvalidRequestException/,
    reason: 'Apache Kafka divides by it and tells of that; this broker tells what is allowed',
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
