// Where admin clients are told otherwise than by Apache Kafka 4.3.1, and why: lines that are not compared (admin-clients.test.ts).
import type { Difference } from './recorded-answers.ts';

const KRAFT_VERSION = 'Apache Kafka was started with a list of voters; this quorum is one of kraft.version 1';

export const ADMIN_DIFFERENCES: Readonly<Record<string, readonly Difference[]>> = {
  java: [
    { call: /^describeFeatures, finalized$/, line: /^kraft\.version: /, reason: KRAFT_VERSION },
    {
      call: /^(add|remove)RaftVoter$/,
      line: /^UnsupportedVersionException: /,
      reason: 'the quorum is this one node: it takes no other in and lets none go, whatever kraft.version is',
    },
    { call: /^(describeShareGroups|listShareGroupOffsets)$/, line: /./, reason: 'no share groups' },
    { call: /^describeStreamsGroups$/, line: /./, reason: 'no groups of the streams protocol' },
    {
      call: /^describeTransactions$/,
      line: /./,
      reason: 'a coordinator of transactions is refused as one that may not be used, so that clients do not ask for ever',
    },
    { call: /^abortTransaction$/, line: /./, reason: 'no transactions yet' },
    {
      call: /^alter(ClientQuotas, validated only|UserScramCredentials)$/,
      line: /./,
      reason: 'a quota or a credential that nothing enforces is not taken',
    },
    { call: /^\w+DelegationToken$/, line: /./, reason: 'no delegation tokens, which stand on SASL' },
  ],
  'franz-go': [{ call: /^DescribeQuorum of __cluster_metadata$/, line: /^Nodes: /, reason: 'the quorum of one node needs no listener' }],
};
