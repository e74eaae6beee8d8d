// AlterReplicaLogDirs: moves partitions to another log directory of this broker. There is one, so that a partition is where it is asked to be
// or the directory is none of ours.
// Source: KIP-113.
import type { ClusterImage } from '../../metadata/image.ts';
import { alterReplicaLogDirsRequest, alterReplicaLogDirsResponse } from '../../protocol/apis/alter-replica-log-dirs.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { findPartition } from '../topic-partitions.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

const FILE_NAME_LENGTH_MAX = 255;
/** What the name of a partition that is under way ends in: a dot, an id in hexadecimal, `-future`. */
const FUTURE_SUFFIX_LENGTH = 1 + 32 + 7;

export function alterReplicaLogDirsHandler(context: BrokerContext): Handler {
  const { directory, metadata, nodeId } = context;
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
      if (path !== directory) return ERROR.LOG_DIR_NOT_FOUND;
      if (context.isOffline()) return ERROR.KAFKA_STORAGE_ERROR;
      return isHere(metadata.image, name, partition, nodeId) ? ERROR.NONE : ERROR.UNKNOWN_TOPIC_OR_PARTITION;
    };
    const results = [...wanted].map(([topicName, paths]) => ({
      topicName,
      partitions: [...paths].map(([partitionIndex, path]) => ({ partitionIndex, errorCode: errorOf(topicName, partitionIndex, path) })),
    }));
    answer(request, alterReplicaLogDirsResponse, { throttleTimeMs: 0, results });
    return true;
  };
}

function isHere(image: ClusterImage, name: string, partition: number, nodeId: number): boolean {
  const topic = image.topicByName(name);
  return topic !== null && (findPartition(topic, partition)?.replicas.includes(nodeId) ?? false);
}
