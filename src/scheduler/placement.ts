// Which worker owns a partition: a pure function of (workers, topic id, partition), the same on every worker and after every
// start with as many workers. Partitions of one topic lie on neighbouring workers, topics start at different ones.
// Pure.

/** The worker, 0 … workerCount-1, that owns this partition. `topicId` is a UUID of 22 characters. */
export function workerOf(workerCount: number, topicId: string, partition: number): number {
  return ((hashText(topicId) % workerCount) + partition) % workerCount;
}

/** FNV-1a, 32 bits, with a last mix, since the low bits alone pick the worker. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
