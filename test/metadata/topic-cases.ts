// A story of CreateTopics and DeleteTopics requests to a node of one broker (id 1): asked of Apache Kafka by record-topics.ts,
// asked of our controller by topics.test.ts. `@name` stands for the id that the topic of that name was given earlier in the story.
import { ZERO_UUID } from '../../src/base/uuid.ts';
import type { CreatableTopic } from '../../src/metadata/topics.ts';

export type TopicCase =
  | { readonly about: string; readonly create: readonly CreatableTopic[]; readonly validateOnly?: boolean }
  | { readonly about: string; readonly remove: readonly { readonly name: string | null; readonly topicId: string }[] };

function topic(name: string, given: Partial<CreatableTopic> = {}): CreatableTopic {
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...given };
}

function byHand(name: string, assignments: CreatableTopic['assignments'], given: Partial<CreatableTopic> = {}): CreatableTopic {
  return topic(name, { numPartitions: -1, replicationFactor: -1, assignments, ...given });
}

const byName = (name: string): { name: string | null; topicId: string } => ({ name, topicId: ZERO_UUID });
const byId = (topicId: string): { name: string | null; topicId: string } => ({ name: null, topicId });

export const topicCases: readonly TopicCase[] = [
  { about: 'a topic', create: [topic('orders', { numPartitions: 3 })] },
  { about: 'the same again', create: [topic('orders')] },
  { about: 'the defaults', create: [topic('defaults', { numPartitions: -1, replicationFactor: -1 })] },
  { about: 'two topics, one of them bad', create: [topic('good'), topic('b@d')] },
  { about: 'validated only', create: [topic('unmade', { numPartitions: 2 })], validateOnly: true },
  { about: 'made after it was validated', create: [topic('unmade')] },
  { about: 'the empty name', create: [topic('')] },
  { about: 'the name .', create: [topic('.')] },
  { about: 'the name ..', create: [topic('..')] },
  { about: 'a name of 249 characters', create: [topic('x'.repeat(249))] },
  { about: 'a name of 250 characters', create: [topic('x'.repeat(250))] },
  { about: 'a name with a blank', create: [topic('a b')] },
  { about: 'a name beyond ASCII', create: [topic('größe')] },
  { about: 'a name with . and _', create: [topic('a.b_c')] },
  { about: 'a name that collides', create: [topic('a_b.c')] },
  { about: 'a bad name that collides', create: [topic('a.b_c!')] },
  { about: 'names that collide in one request', create: [topic('p.q'), topic('p_q')] },
  { about: 'a name twice', create: [topic('twice'), topic('single'), topic('twice')] },
  { about: 'the metadata topic', create: [topic('__cluster_metadata'), topic('beside')] },
  { about: 'no partitions', create: [topic('n', { numPartitions: 0 })] },
  { about: '-2 partitions', create: [topic('n', { numPartitions: -2 })] },
  { about: 'no replicas', create: [topic('n', { replicationFactor: 0 })] },
  { about: '-2 replicas', create: [topic('n', { replicationFactor: -2 })] },
  { about: 'neither partitions nor replicas', create: [topic('n', { numPartitions: 0, replicationFactor: 0 })] },
  { about: 'two replicas on one broker', create: [topic('n', { replicationFactor: 2 })] },
  { about: '10001 partitions', create: [topic('huge', { numPartitions: 10_001 }), topic('small')] },
  {
    about: 'assigned by hand',
    create: [
      byHand('hand', [
        { partitionIndex: 0, brokerIds: [1] },
        { partitionIndex: 1, brokerIds: [1] },
      ]),
    ],
  },
  {
    about: 'assigned out of order',
    create: [
      byHand('hand2', [
        { partitionIndex: 1, brokerIds: [1] },
        { partitionIndex: 0, brokerIds: [1] },
      ]),
    ],
  },
  { about: 'assigned with a count', create: [byHand('n', [{ partitionIndex: 0, brokerIds: [1] }], { numPartitions: 1 })] },
  { about: 'assigned with a factor', create: [byHand('n', [{ partitionIndex: 0, brokerIds: [1] }], { replicationFactor: 1 })] },
  {
    about: 'assigned with both',
    create: [byHand('n', [{ partitionIndex: 0, brokerIds: [1] }], { numPartitions: 1, replicationFactor: 1 })],
  },
  { about: 'assigned to nobody', create: [byHand('n', [{ partitionIndex: 0, brokerIds: [] }])] },
  { about: 'assigned to a stranger', create: [byHand('n', [{ partitionIndex: 0, brokerIds: [7] }])] },
  { about: 'assigned to one broker twice', create: [byHand('n', [{ partitionIndex: 0, brokerIds: [1, 1] }])] },
  {
    about: 'assigned with a gap',
    create: [
      byHand('n', [
        { partitionIndex: 0, brokerIds: [1] },
        { partitionIndex: 2, brokerIds: [1] },
      ]),
    ],
  },
  {
    about: 'a partition assigned twice',
    create: [
      byHand('n', [
        { partitionIndex: 0, brokerIds: [1] },
        { partitionIndex: 0, brokerIds: [1] },
      ]),
    ],
  },
  { about: 'a configuration', create: [topic('configured', { configs: [{ name: 'retention.ms', value: '1000' }] })] },
  {
    about: 'a configuration without a value',
    create: [
      topic('n', {
        configs: [
          { name: 'retention.ms', value: null },
          { name: 'cleanup.policy', value: null },
        ],
      }),
    ],
  },
  { about: 'an unknown configuration', create: [topic('n', { configs: [{ name: 'no.such.key', value: '1' }] })] },
  { about: 'a bad configuration', create: [topic('n', { configs: [{ name: 'retention.ms', value: 'soon' }] })] },
  {
    about: 'a bad configuration and no partitions',
    create: [topic('n', { numPartitions: 0, configs: [{ name: 'retention.ms', value: 'soon' }] })],
  },
  { about: 'no topics', create: [] },
  { about: 'removed by name', remove: [byName('orders')] },
  { about: 'removed again', remove: [byName('orders')] },
  { about: 'removed by id', remove: [byId('@good')] },
  { about: 'removed by an id that is gone', remove: [byId('@good')] },
  { about: 'removed by neither', remove: [byId(ZERO_UUID)] },
  { about: 'removed by both', remove: [{ name: 'defaults', topicId: '@defaults' }] },
  { about: 'a name twice', remove: [byName('defaults'), byName('defaults'), byName('defaults')] },
  { about: 'an id twice', remove: [byId('@defaults'), byId('@defaults')] },
  { about: 'the same topic by name and by id', remove: [byName('defaults'), byId('@defaults')] },
  { about: 'one that is there and one that is not', remove: [byName('defaults'), byName('nowhere')] },
  { about: 'a bad name', remove: [byName('b@d')] },
  { about: 'made again after it was removed', create: [topic('orders')] },
  { about: 'nothing to remove', remove: [] },
];
