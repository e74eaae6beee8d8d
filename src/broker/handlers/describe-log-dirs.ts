// DescribeLogDirs: what lies in this broker's log directory, and how much room its volume has. What is not there is left out, as from Apache
// Kafka: an unknown topic is no error.
// Source: KIP-113, KIP-827 (sizes of the volume), KIP-1066 (cordoned directories).
import { volumeSizes } from '../../log/file-system.ts';
import type { ClusterImage } from '../../metadata/image.ts';
import { type DescribeLogDirsRequest, describeLogDirsRequest, describeLogDirsResponse } from '../../protocol/apis/describe-log-dirs.ts';
import { ERROR } from '../../protocol/errors.ts';
import { workerOf } from '../../scheduler/placement.ts';
import type { BrokerContext } from '../broker-context.ts';
import type { PartitionAddress } from '../partition-questions.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

interface AskedPartition extends PartitionAddress {
  readonly topic: string;
  readonly partition: number;
}

export function describeLogDirsHandler(context: BrokerContext): Handler {
  const { directory, metadata, nodeId, questions, runtime } = context;
  return (request) => {
    const { topics } = decodeBody(request, describeLogDirsRequest);
    const refuse = (): void => {
      const failed = { errorCode: ERROR.KAFKA_STORAGE_ERROR, logDir: directory, topics: [], totalBytes: -1, usableBytes: -1 };
      answer(request, describeLogDirsResponse, {
        throttleTimeMs: 0,
        errorCode: ERROR.NONE,
        results: [{ ...failed, isCordoned: false }],
      });
    };
    if (context.isOffline()) {
      refuse();
      return true;
    }
    const asked = partitionsOf(metadata.image, topics, nodeId, runtime.workerCount);
    questions.ask('logSize', asked, (sizes) => {
      if (sizes.includes(ERROR.KAFKA_STORAGE_ERROR)) {
        refuse();
        return;
      }
      const found = new Map<string, { partitionIndex: number; partitionSize: number; offsetLag: number; isFutureKey: boolean }[]>();
      for (const [index, { topic, partition }] of asked.entries()) {
        const size = sizes[index];
        if (typeof size !== 'object') continue; // Deleted meanwhile.
        const partitions = found.get(topic) ?? [];
        found.set(topic, partitions);
        partitions.push({ partitionIndex: partition, partitionSize: size.sizeBytes, offsetLag: size.offsetLag, isFutureKey: false });
      }
      runtime.submit(
        () => volumeSizes(directory),
        (error, volume) => {
          if (error !== null || volume === undefined) {
            refuse();
            return;
          }
          const broker = metadata.image.broker(nodeId);
          answer(request, describeLogDirsResponse, {
            throttleTimeMs: 0,
            errorCode: ERROR.NONE,
            results: [
              {
                errorCode: ERROR.NONE,
                logDir: directory,
                topics: [...found].map(([name, partitions]) => ({ name, partitions })),
                ...(request.apiVersion >= 4 ? volume : { totalBytes: -1, usableBytes: -1 }),
                isCordoned: request.apiVersion >= 5 && (broker?.cordonedLogDirs?.length ?? 0) > 0,
              },
            ],
          });
        },
      );
    });
    return true;
  };
}

/** Those of this broker that are asked for, each once: all of them where no list is given. */
function partitionsOf(
  image: ClusterImage,
  topics: DescribeLogDirsRequest['topics'],
  nodeId: number,
  workerCount: number,
): AskedPartition[] {
  const asked: AskedPartition[] = [];
  const add = (name: string, wanted: ReadonlySet<number> | null): void => {
    const topic = image.topicByName(name);
    if (topic === null) return;
    for (const { partition, slot, replicas } of topic.partitions) {
      if (!replicas.includes(nodeId) || wanted?.has(partition) === false) continue;
      asked.push({ topic: name, partition, slot, owner: workerOf(workerCount, topic.id, partition) });
    }
  };
  if (topics === null) {
    for (const { name } of image.topics) add(name, null);
    return asked;
  }
  const wanted = new Map<string, Set<number>>();
  for (const { topic, partitions } of topics) wanted.set(topic, new Set([...(wanted.get(topic) ?? []), ...partitions]));
  for (const [name, partitions] of wanted) add(name, partitions);
  return asked;
}
