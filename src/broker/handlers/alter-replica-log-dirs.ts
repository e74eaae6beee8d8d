// AlterReplicaLogDirs: moves partitions to another log directory of this broker, which it does not do yet: a partition is where it is asked to
// be, or the move is refused.
// Source: KIP-113.
import type { ClusterImage } from '../../metadata/image.ts';
import type { PartitionImage } from '../../metadata/image-types.ts';
import { alterReplicaLogDirsRequest, alterReplicaLogDirsResponse } from '../../protocol/apis/alter-replica-log-dirs.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { findPartition } from '../topic-partitions.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const FILE_NAME_LENGTH_MAX = 255;
/** What the name of a partition that is under way ends in: a dot, an id in hexadecimal, `-future`. */
const FUTURE_SUFFIX_LENGTH = 1 + 32 + 7;

/** The answer has no room for words. */
const MOVES_NOT_SERVED = ERROR.INVALID_REQUEST;

export function alterReplicaLogDirsHandler(context: BrokerContext): Handler {
  const { directories, metadata, nodeId } = context;
  return (request) => {
    const { dirs } = decodeBody(request, alterReplicaLogDirsRequest);
    // Of a partition that is named several times the last directory counts.
    const wanted = new Map<string, Map<number, string>>();
    for (const { path, topics } of dirs) {
      for (const { name, partitions } of topics) {
        const paths = wanted.get(name) ?? new Map<number, string>();
        for (const partition of partitions) paths.set(partition, path);
        if (paths.size > 0) wanted.set(name, paths);
      }
    }
    const errorOf = (name: string, partition: number, path: string): number => {
      if (`${name}-${partition}`.length + FUTURE_SUFFIX_LENGTH > FILE_NAME_LENGTH_MAX) return ERROR.INVALID_TOPIC_EXCEPTION;
      const target = directories.byPath(path);
      if (target === null) return ERROR.LOG_DIR_NOT_FOUND;
      if (!directories.isOnline(target)) return ERROR.KAFKA_STORAGE_ERROR;
      const replica = replicaHere(metadata.image, name, partition, nodeId);
      if (replica === null) return ERROR.UNKNOWN_TOPIC_OR_PARTITION;
      if (directories.isOffline(replica)) return ERROR.KAFKA_STORAGE_ERROR;
      return directories.of(replica) === target ? ERROR.NONE : MOVES_NOT_SERVED;
    };
    const results = [...wanted].map(([topicName, paths]) => ({
      topicName,
      partitions: [...paths].map(([partitionIndex, path]) => ({ partitionIndex, errorCode: errorOf(topicName, partitionIndex, path) })),
    }));
    answer(request, alterReplicaLogDirsResponse, { throttleTimeMs: 0, results });
    return true;
  };
}

function replicaHere(image: ClusterImage, name: string, partition: number, nodeId: number): PartitionImage | null {
  const topic = image.topicByName(name);
  const wanted = topic === null ? null : findPartition(topic, partition);
  return wanted?.replicas.includes(nodeId) ? wanted : null;
}
