// One Apache Kafka node on a data directory of its own: made fresh, or laid over a directory that Naru wrote; stopped cleanly or killed.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/broker-process.ts';
import { runProgram, succeed } from './run-program.ts';
import { TOOL_ENVIRONMENT } from './toolchains.ts';

/** kraft.version 0 and 1: the voters stand in the configuration, or in the metadata log. */
export type Voters = 'static' | 'standalone';

export interface KafkaNodeOptions {
  /** The script that runs Apache Kafka. */
  readonly program: string;
  /** For this node alone; `data` in it is the log directory. */
  readonly home: string;
  readonly voters: Voters;
  readonly overrides?: Readonly<Record<string, string>>;
  /** By default one that is free. */
  readonly port?: number;
  /** Of what it logs; by default WARN. */
  readonly logLevel?: 'INFO' | 'WARN';
}

const START_TIMEOUT_MS = 120_000;
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg';

export class KafkaNode {
  readonly #options: KafkaNodeOptions;
  readonly port: number;

  private constructor(options: KafkaNodeOptions, port: number) {
    this.#options = options;
    this.port = port;
  }

  get dataDirectory(): string {
    return join(this.#options.home, 'node-1/data');
  }

  /** Formats a directory, or takes a copy of one, and starts on it. */
  static async start(options: KafkaNodeOptions, copyOf?: string): Promise<KafkaNode> {
    const { home, voters, overrides } = options;
    const [port, controllerPort] = [options.port ?? (await freePort()), await freePort()];
    const node = new KafkaNode(options, port);
    mkdirSync(join(home, 'node-1'), { recursive: true });
    const quorum = voters === 'static' ? 'controller.quorum.voters=1@' : 'controller.quorum.bootstrap.servers=';
    const properties = [
      'process.roles=broker,controller',
      'node.id=1',
      `${quorum}127.0.0.1:${controllerPort}`,
      `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      'controller.listener.names=CONTROLLER',
      'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      `log.dirs=${node.dataDirectory}`,
      'offsets.topic.num.partitions=4',
      'transaction.state.log.num.partitions=4',
      'share.coordinator.state.topic.num.partitions=4',
      'log.initial.task.delay.ms=500',
      'log.retention.check.interval.ms=86400000',
      'log.flush.start.offset.checkpoint.interval.ms=300',
      ...['offsets.topic', 'transaction.state.log', 'share.coordinator.state.topic'].map((topic) => `${topic}.replication.factor=1`),
      ...['transaction.state.log', 'share.coordinator.state.topic'].map((topic) => `${topic}.min.isr=1`),
      ...Object.entries(overrides ?? {}).map(([key, value]) => `${key}=${value}`),
    ];
    const file = join(home, 'node-1/server.properties');
    writeFileSync(file, `${properties.join('\n')}\n`);
    if (copyOf === undefined)
      await node.tool('storage', 'format', '-t', CLUSTER_ID, '-c', file, ...(voters === 'static' ? [] : ['--standalone']));
    else cpSync(copyOf, node.dataDirectory, { recursive: true });
    await node.restart();
    return node;
  }

  /** What Apache Kafka's tool said; fails where it did. */
  async tool(name: string, ...args: readonly string[]): Promise<string> {
    return succeed(this.#options.program, ['run', name, ...args], { environment: TOOL_ENVIRONMENT, timeoutMs: START_TIMEOUT_MS });
  }

  async restart(): Promise<void> {
    try {
      await succeed(this.#options.program, ['restart', '-d', this.#options.home], {
        environment: { ...TOOL_ENVIRONMENT, PEERS_LOG_LEVEL: this.#options.logLevel ?? 'WARN' },
        timeoutMs: START_TIMEOUT_MS,
      });
    } catch (error) {
      throw new Error(`Apache Kafka did not start on ${this.dataDirectory}:\n${this.output()}`, { cause: error });
    }
  }

  /** All that it has logged. */
  output(): string {
    return readFileSync(join(this.#options.home, 'node-1/log'), 'utf8');
  }

  /** A log start that came by DeleteRecords outlives a kill once this file has it. */
  async untilStartIsWritten(topic: string, partition: number, offset: number): Promise<void> {
    const file = join(this.dataDirectory, 'log-start-offset-checkpoint');
    while (!readFileSync(file, 'utf8').includes(`\n${topic} ${partition} ${offset}\n`)) await delay(50);
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const how = signal === 'SIGKILL' ? ['--kill'] : [];
    await succeed(this.#options.program, ['stop', '-d', this.#options.home, ...how], { environment: TOOL_ENVIRONMENT });
  }

  async dispose(): Promise<void> {
    await runProgram(this.#options.program, ['stop', '-d', this.#options.home, '--kill'], { environment: TOOL_ENVIRONMENT });
    rmSync(this.#options.home, { recursive: true, force: true });
  }
}
