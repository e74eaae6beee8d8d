// Members of one group, a stream of records that say who they are, and who has seen which.
import { type ChildProcess, spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { labelled } from '../batches.ts';
import { WireClient } from '../wire-client.ts';
import { join, kcatArguments, type MemberOptions, type ProcessedRecord } from './member.ts';

const ENTRY = new URL('./member-thread.ts', import.meta.url);

function moment(ms = 5): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** One consumer. */
export class Member {
  /** Partitions of records that came since they were last cleared. */
  readonly partitions = new Set<number>();
  readonly #leave: () => Promise<void>;
  #isThere = true;

  constructor(options: MemberOptions, hear: (record: ProcessedRecord) => void, isMortal: boolean) {
    const heard = (record: ProcessedRecord): void => {
      this.partitions.add(record.partition);
      hear(record);
    };
    if (options.client === 'kcat') {
      const child = startKcat(options, heard);
      const gone = new Promise((done) => child.once('close', done));
      this.#leave = async () => {
        child.kill(isMortal ? 'SIGKILL' : 'SIGTERM');
        await gone;
      };
    } else if (isMortal) {
      const thread = new Worker(ENTRY, { workerData: options });
      thread.on('message', heard);
      this.#leave = async () => void (await thread.terminate());
    } else {
      const joined = join(options, heard);
      this.#leave = async () => (await joined)();
    }
  }

  /** Says goodbye; one that was made mortal is gone without a word instead, its sockets closed as when a process dies. */
  async end(): Promise<void> {
    if (!this.#isThere) return;
    this.#isThere = false;
    await this.#leave();
  }
}

function startKcat(options: MemberOptions, heard: (record: ProcessedRecord) => void): ChildProcess {
  const child = spawn('kcat', kcatArguments(options), { stdio: ['ignore', 'pipe', 'ignore'] });
  let rest = '';
  child.stdout.on('data', (bytes: Buffer) => {
    const lines = `${rest}${bytes}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [partition, offset, value = ''] = line.split(' ');
      heard({ partition: Number(partition), offset: Number(offset), value });
    }
  });
  return child;
}

export class Crowd {
  readonly topic: string;
  readonly groupId: string;
  readonly partitionCount: number;
  /** How often each record was processed, by partition and offset. */
  readonly seen: number[][];
  /** Records that came with another one's text. */
  readonly strangers: string[] = [];
  /** The end of each partition, as its producer was told. */
  readonly ends: number[];
  readonly port: number;
  readonly #options: Omit<MemberOptions, 'instanceId'>;
  #producing: Promise<void> | null = null;
  #isStopping = false;

  constructor(port: number, partitionCount: number, options: Omit<MemberOptions, 'instanceId' | 'address'>) {
    this.topic = options.topic;
    this.groupId = options.groupId;
    this.partitionCount = partitionCount;
    this.port = port;
    this.#options = { ...options, address: `127.0.0.1:${port}` };
    this.seen = Array.from({ length: partitionCount }, () => []);
    this.ends = new Array<number>(partitionCount).fill(0);
  }

  member({ instanceId = null, isMortal = false }: { instanceId?: string | null; isMortal?: boolean } = {}): Member {
    return new Member({ ...this.#options, instanceId }, (record) => this.hear(record), isMortal);
  }

  hear({ partition, offset, value }: ProcessedRecord): void {
    const counts = this.seen[partition] as number[];
    counts[offset] = (counts[offset] ?? 0) + 1;
    if (value !== `${partition}/${offset}`) this.strangers.push(`${partition}/${offset} was ${value}`);
  }

  /** Produces a record to each partition, again and again, until `quiet`. */
  produce(): void {
    this.#isStopping = false;
    this.#producing = this.#run();
  }

  async quiet(): Promise<void> {
    this.#isStopping = true;
    await this.#producing;
  }

  /** Every record was processed, all partitions to their ends. */
  get isAllSeen(): boolean {
    return this.seen.every((counts, partition) => {
      for (let offset = 0; offset < (this.ends[partition] as number); offset++) if (counts[offset] === undefined) return false;
      return true;
    });
  }

  /** Until these members, and no one else, share all partitions: each has some, and no partition has two. */
  async isSharedBy(...members: readonly Member[]): Promise<void> {
    for (;;) {
      for (const member of members) member.partitions.clear();
      const before = [...this.ends];
      while (!this.ends.every((end, partition) => end >= (before[partition] as number) + 3)) await moment();
      const marks = [...this.ends];
      while (!marks.every((end, partition) => this.seen[partition]?.[end - 1] !== undefined)) await moment();
      const total = members.reduce((sum, { partitions }) => sum + partitions.size, 0);
      if (members.every(({ partitions }) => partitions.size > 0) && total === this.partitionCount) return;
    }
  }

  /** Until each partition has `count` records more, and all are processed. */
  async goesOn(count: number): Promise<void> {
    const before = [...this.ends];
    while (!this.ends.every((end, partition) => end >= (before[partition] as number) + count)) await moment();
    await this.isProcessed();
  }

  /** Until all records there are now have been processed. */
  async isProcessed(): Promise<void> {
    while (!this.isAllSeen) await moment();
  }

  async #run(): Promise<void> {
    const client = await WireClient.connect(this.port);
    while (!this.#isStopping) {
      for (let partition = 0; partition < this.partitionCount; partition++) {
        const end = this.ends[partition] as number;
        await client.produce(this.topic, partition, labelled(String(partition), end, 1));
        this.ends[partition] = end + 1;
      }
      await moment(20);
    }
    client.close();
  }
}
