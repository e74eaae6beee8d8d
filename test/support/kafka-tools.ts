// Apache Kafka's own tools, in the folder that NARU_PEERS names (by default ../shared/peers). Nothing is downloaded here.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const peers = process.env.NARU_PEERS ?? resolve(import.meta.dirname, '../../../shared/peers');
const cache = process.env.PEERS_CACHE ?? join(homedir(), '.cache/naru-peers');

/** `kafkaTool run dump-log …` */
export const kafkaTool = join(peers, 'kafka');

/** Why the tests that need the tools are skipped, or null. */
export const kafkaToolMissing: string | null = whyNot();

function whyNot(): string | null {
  if (!existsSync(kafkaTool)) return `no Apache Kafka tools: ${kafkaTool} is absent (NARU_PEERS names another folder)`;
  if (spawnSync('java', ['-version']).status !== 0) return 'no Java on this machine';
  if (existsSync(cache) && readdirSync(cache).some((name) => name.startsWith('kafka-'))) return null;
  return `no jars of Apache Kafka in ${cache}: run ${kafkaTool} get`;
}
