// DescribeLogDirs: what lies in each of this broker's log directories, and how much room its volume has. What is not there is left out, as from
// Apache Kafka: an unknown topic is no error.
// Source: KIP-113, KIP-827 (sizes of the volume), KIP-1066 (cordoned directories).
import { type VolumeSizes, volumeSizes } from '../../log/file-system.ts';
import {
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
  describeLogDirsRequest,
  describeLogDirsResponse,
} from '../../protocol/apis/describe-log-dirs.ts';
import { ERROR } from '../../protocol/errors.ts';
import { workerOf } from '../../scheduler/placement.ts';
import type { BrokerContext } from '../broker-context.ts';
import type { PartitionAddress } from '../partition-questions.ts';
import type { GivenDirectory } from '../worker-data.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

type DirectoryAnswer = DescribeLogDirsResponse['results'][number];

interface AskedPartition extends PartitionAddress {
  readonly topic: string;
  readonly partition: number;
  readonly directory: GivenDirectory | null;
}

export function describeLogDirsHandler(context: BrokerContext): Handler {
  const { directories, metadata, nodeId, questions, runtime } = context;
  return (request) => {
    const { topics } = decodeBody(request, describeLogDirsRequest);
    const asked = partitionsOf(context, topics);
    questions.ask('logSize', asked, (sizes) => {
      const found = new Map<string, Map<string, DirectoryAnswer['topics'][number]>>();
      for (const [index, { topic, partition, directory }] of asked.entries()) {
        const size = sizes[index];
        if (typeof size !== 'object' || directory === null) continue; // Deleted meanwhile, or offline.
        const inDirectory = found.get(directory.path) ?? new Map<string, DirectoryAnswer['topics'][number]>();
        found.set(directory.path, inDirectory);
        const ofTopic = inDirectory.get(topic) ?? { name: topic, partitions: [] };
        inDirectory.set(topic, ofTopic);
        ofTopic.partitions.push({
          partitionIndex: partition,
          partitionSize: size.sizeBytes,
          offsetLag: size.offsetLag,
          isFutureKey: false,
        });
      }
      const send = (volumes: ReadonlyMap<string, VolumeSizes>): void => {
        const cordoned = metadata.image.broker(nodeId)?.cordonedLogDirs ?? [];
        const results = directories.given.map((directory): DirectoryAnswer => {
          const { path: logDir, id } = directory;
          const isCordoned = request.apiVersion >= 5 && id !== null && cordoned.includes(id);
          const volume = volumes.get(logDir);
          if (volume === undefined || !directories.isOnline(directory)) {
            return { errorCode: ERROR.KAFKA_STORAGE_ERROR, logDir, topics: [], totalBytes: -1, usableBytes: -1, isCordoned };
          }
          const sizesOfVolume = request.apiVersion >= 4 ? volume : { totalBytes: -1, usableBytes: -1 };
          return { errorCode: ERROR.NONE, logDir, topics: [...(found.get(logDir)?.values() ?? [])], ...sizesOfVolume, isCordoned };
        });
        answer(request, describeLogDirsResponse, { throttleTimeMs: 0, errorCode: ERROR.NONE, results });
      };
      runtime.submit(
        () => measure(directories.online()),
        (_error, volumes) => send(volumes ?? new Map()),
      );
    });
    return true;
  };
}

/** The volumes of the directories, by their paths; without those that the disk says nothing of. */
async function measure(directories: readonly GivenDirectory[]): Promise<Map<string, VolumeSizes>> {
  const volumes = new Map<string, VolumeSizes>();
  const answers = await Promise.allSettled(directories.map(({ path }) => volumeSizes(path)));
  for (const [index, each] of answers.entries()) {
    if (each.status === 'fulfilled') volumes.set((directories[index] as GivenDirectory).path, each.value);
  }
  return volumes;
}

/** Those of this broker that are asked for, each once: all of them where no list is given. */
function partitionsOf(
  { metadata, nodeId, runtime, directories }: BrokerContext,
  topics: DescribeLogDirsRequest['topics'],
): AskedPartition[] {
  const { image } = metadata;
  const asked: AskedPartition[] = [];
  const add = (name: string, wanted: ReadonlySet<number> | null): void => {
    const topic = image.topicByName(name);
    if (topic === null) return;
    for (const partition of topic.partitions) {
      const { partition: number, slot, replicas } = partition;
      if (!replicas.includes(nodeId) || wanted?.has(number) === false) continue;
      const owner = workerOf(runtime.workerCount, topic.id, number);
      asked.push({ topic: name, partition: number, slot, owner, directory: directories.of(partition) });
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
