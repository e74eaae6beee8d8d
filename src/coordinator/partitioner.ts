// Which partition of a coordinator's topic a key (a group, a transactional id) belongs to: Kafka's own rule, so that a directory can move
// between the two.
// Pure. Source: Utils.abs and GroupCoordinatorService.partitionFor of Apache Kafka; Java's String.hashCode.

/** 0 … partitionCount-1. */
export function coordinatorPartition(key: string, partitionCount: number): number {
  const hash = javaHashCode(key);
  // Java's Math.abs leaves the smallest integer negative; Kafka takes 0 in its place.
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitionCount;
}

/** Over UTF-16 code units, which are what both languages count. */
function javaHashCode(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}
