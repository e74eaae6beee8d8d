// Consumers of real clients: what joins a group, tells each record that it has processed, and leaves.

export interface MemberOptions {
  readonly client: 'kafkajs' | 'platformatic' | 'platformatic-consumer' | 'kcat';
  readonly address: string;
  readonly groupId: string;
  readonly topic: string;
  readonly instanceId: string | null;
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
}

export interface ProcessedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** kcat tells its records on stdout, `<partition> <offset> <value>`; it is a process, which leaves by SIGTERM. */
export function kcatArguments(options: MemberOptions): string[] {
  const settings = [
    `session.timeout.ms=${options.sessionTimeoutMs}`,
    `heartbeat.interval.ms=${options.heartbeatMs}`,
    'auto.offset.reset=earliest',
    'fetch.wait.max.ms=50',
    'auto.commit.interval.ms=100',
    ...(options.instanceId === null ? [] : [`group.instance.id=${options.instanceId}`]),
  ];
  const how = ['-b', options.address, '-G', options.groupId, '-f', '%p %o %s\\n', '-u'];
  return [...how, ...settings.flatMap((each) => ['-X', each]), options.topic];
}

type Tell = (record: ProcessedRecord) => void;

/** Joins; gives what leaves. */
export function join(options: MemberOptions, tell: Tell): Promise<() => Promise<void>> {
  return options.client === 'kafkajs' ? joinByKafkajs(options, tell) : joinByPlatformatic(options, tell);
}

async function joinByKafkajs(options: MemberOptions, tell: Tell): Promise<() => Promise<void>> {
  const { default: kafkajs } = await import('kafkajs');
  const kafka = new kafkajs.Kafka({
    clientId: 'kafkajs',
    brokers: [options.address],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 200, retries: 30 },
  });
  const consumer = kafka.consumer({
    groupId: options.groupId,
    sessionTimeout: options.sessionTimeoutMs,
    rebalanceTimeout: 5000,
    heartbeatInterval: options.heartbeatMs,
    maxWaitTimeInMs: 50,
    allowAutoTopicCreation: false,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [options.topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => tell({ partition, offset: Number(message.offset), value: String(message.value) }),
  });
  return () => consumer.disconnect();
}

/** With the new protocol, a static member that died is let in again only when its session has ended: it tries until then. */
async function joinByPlatformatic(options: MemberOptions, tell: Tell): Promise<() => Promise<void>> {
  const { Consumer, stringDeserializers } = await import('@platformatic/kafka');
  const { sessionTimeoutMs: sessionTimeout, heartbeatMs: heartbeatInterval } = options;
  const protocol =
    options.client === 'platformatic'
      ? { sessionTimeout, heartbeatInterval, rebalanceTimeout: 5000 }
      : { groupProtocol: 'consumer' as const, rebalanceTimeout: 60_000 };
  const consumer = new Consumer({
    clientId: 'platformatic',
    groupId: options.groupId,
    bootstrapBrokers: [options.address],
    deserializers: stringDeserializers,
    retries: 30,
    retryDelay: 50,
    ...protocol,
    ...(options.instanceId === null ? {} : { groupInstanceId: options.instanceId }),
  });
  consumer.on('error', () => {});
  let stream: Awaited<ReturnType<typeof consumer.consume>>;
  try {
    stream = await consumer.consume({
      topics: [options.topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: true,
      maxWaitTime: 50,
    });
  } catch (error) {
    if (!String((error as { errors?: { apiId?: string }[] }).errors?.[0]?.apiId).startsWith('UNRELEASED')) throw error;
    await consumer.close(true).catch(() => {});
    return joinByPlatformatic(options, tell);
  }
  stream.on('error', () => {});
  stream.on('data', ({ partition, offset, value }) => tell({ partition, offset: Number(offset), value: String(value) }));
  return async () => {
    await stream.close();
    await consumer.close(true);
  };
}
