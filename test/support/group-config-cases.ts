// Changes of configurations of groups, of subscriptions to clients' metrics and of loggers, and lists of what is configured. Takes a broker
// without topics that is called 1, and takes back what it has changed.
import { BROKER, BROKER_LOGGER, CLIENT_METRICS, ConfigStory, GROUP, TOPIC } from './config-story.ts';

const GOOD: readonly string[] = [
  'consumer.session.timeout.ms=50000',
  'consumer.heartbeat.interval.ms=6000',
  'consumer.assignment.interval.ms=100',
  'share.session.timeout.ms=50000',
  'share.heartbeat.interval.ms=6000',
  'share.assignment.interval.ms=100',
  'share.record.lock.duration.ms=20000',
  'share.delivery.count.limit=3',
  'share.partition.max.record.locks=300',
  'share.auto.offset.reset=earliest',
  'share.auto.offset.reset=by_duration:PT1H',
  'share.isolation.level=read_committed',
  'share.renew.acknowledge.enable=false',
  'streams.session.timeout.ms=50000',
  'streams.heartbeat.interval.ms=6000',
  'streams.assignment.interval.ms=100',
  'streams.num.standby.replicas=1',
  'streams.initial.rebalance.delay.ms=0',
];

const BAD: readonly string[] = [
  'consumer.session.timeout.ms=0',
  'consumer.session.timeout.ms=44999',
  'consumer.session.timeout.ms=60001',
  'consumer.session.timeout.ms=x',
  'consumer.session.timeout.ms',
  'consumer.heartbeat.interval.ms=0',
  'consumer.heartbeat.interval.ms=4999',
  'consumer.heartbeat.interval.ms=15001',
  'consumer.assignment.interval.ms=-1',
  'consumer.assignment.interval.ms=15001',
  'share.session.timeout.ms=44999',
  'share.session.timeout.ms=60001',
  'share.heartbeat.interval.ms=4999',
  'share.heartbeat.interval.ms=15001',
  'share.assignment.interval.ms=15001',
  'share.record.lock.duration.ms=999',
  'share.record.lock.duration.ms=14999',
  'share.record.lock.duration.ms=60001',
  'share.delivery.count.limit=1',
  'share.delivery.count.limit=11',
  'share.partition.max.record.locks=99',
  'share.partition.max.record.locks=4001',
  'share.auto.offset.reset=none',
  'share.auto.offset.reset=by_duration:x',
  'share.auto.offset.reset=by_duration:-PT1H',
  'share.auto.offset.reset=by_duration:',
  'share.auto.offset.reset=by_duration:P1D',
  'share.auto.offset.reset=by_duration:PT0S',
  'share.auto.offset.reset=by_duration:P1DT1H1M1.5S',
  'share.auto.offset.reset=by_duration:P1Y',
  'share.auto.offset.reset=EARLIEST',
  'share.auto.offset.reset= latest ',
  'share.isolation.level=READ_COMMITTED',
  'share.renew.acknowledge.enable=x',
  'streams.session.timeout.ms=44999',
  'streams.session.timeout.ms=60001',
  'streams.heartbeat.interval.ms=4999',
  'streams.heartbeat.interval.ms=15001',
  'streams.assignment.interval.ms=15001',
  'streams.num.standby.replicas=3',
  'streams.num.standby.replicas=-1',
  'streams.initial.rebalance.delay.ms=-1',
  'streams.assignor.name=x',
  'errors.deadletterqueue.topic.name=x',
  'session.timeout.ms=5',
  'group.consumer.session.timeout.ms=50000',
  '=5',
];

const METRICS: readonly string[] = [
  'interval.ms=100',
  'interval.ms=99',
  'interval.ms=3600001',
  'interval.ms=x',
  'interval.ms= 200 ',
  'metrics=org.apache.kafka.producer.,org.apache.kafka.consumer.',
  'metrics=*',
  'metrics=',
  'metrics=a,a',
  'metrics=a,,b',
  'match=client_id=a.*',
  'match=client_id=a.*,client_software_name=b',
  'match=client_id',
  'match=client_id=',
  'match=client=a',
  'match=client_id=a=b',
  'match= client_id = a ',
  'match=client_id=[',
  'match=client_id=a,client_id=b',
  'match=client_source_port=1,client_source_address=2,client_instance_id=3,client_software_version=4',
  'match=',
  'no.such.key=1',
  'interval.ms',
];

const LEVELS: readonly string[] = [
  'SET root=DEBUG',
  'SET root=WARN',
  'SET root=TRACE',
  'SET root=FATAL',
  'SET root=ERROR',
  'SET root=info',
  'SET root=OFF',
  'SET root=',
  'SET root',
  'DELETE root',
  'DELETE root=INFO',
  'APPEND root=INFO',
  'SUBTRACT root=INFO',
  '4 root=INFO',
  'SET no.such.logger=INFO',
  'DELETE no.such.logger',
  'SET root=INFO',
];

export async function askGroupConfigCases(port: number): Promise<Map<string, unknown>> {
  const story = await ConfigStory.open(port);
  const ofGroup = (...changes: string[]): Promise<void> => story.change(GROUP, 'some group', ...changes);
  const everything = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];
  for (const version of [0, 1]) await story.list(version, []);
  for (const change of GOOD) await ofGroup(`SET ${change}`);
  await story.describeAt([1, 2, 3, 4], GROUP, 'some group', ['consumer.session.timeout.ms', 'share.isolation.level']);
  await story.list(1, []);
  for (const change of GOOD) await ofGroup(`DELETE ${change.split('=')[0]}`);
  for (const change of BAD) await ofGroup(`SET ${change}`);
  await ofGroup('DELETE share.auto.offset.reset', 'DELETE no.such.key');
  await ofGroup('SET consumer.session.timeout.ms=45000', 'SET consumer.heartbeat.interval.ms=15000');
  await ofGroup('SET consumer.session.timeout.ms=50000', 'SET consumer.session.timeout.ms=50000');
  await ofGroup('APPEND consumer.session.timeout.ms=5');
  await ofGroup('SUBTRACT share.isolation.level=read_committed');
  await ofGroup('4 consumer.session.timeout.ms=5');
  await ofGroup();
  await story.change(GROUP, '', 'SET consumer.session.timeout.ms=50000');
  await story.change(GROUP, '', 'SET no.such.key=50000');
  await story.change(GROUP, 'другая', 'SET consumer.session.timeout.ms=50000');
  await story.change(GROUP, 'x'.repeat(300), 'SET consumer.session.timeout.ms=50000');
  const mine = ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms'];
  const whole = (...changes: string[]) => [{ type: GROUP, name: 'some group', changes }];
  await story.replace(whole('consumer.heartbeat.interval.ms=7000'), { keys: mine });
  await story.replace(whole('consumer.session.timeout.ms=46000'), { keys: mine, validateOnly: true });
  await story.replace(whole('consumer.session.timeout.ms=46000'), { keys: mine });
  await story.replace(whole('consumer.session.timeout.ms=1'), { keys: mine });
  for (const types of [
    [],
    everything,
    [GROUP],
    [CLIENT_METRICS],
    [BROKER],
    [BROKER_LOGGER],
    [TOPIC],
    [GROUP, GROUP],
    [0],
    [1],
    [GROUP, 64],
    [-1],
  ])
    await story.list(1, types);
  for (const name of ['some group', 'другая', 'x'.repeat(300)]) await story.replace([{ type: GROUP, name, changes: [] }], { keys: mine });

  const ofMetrics = (...changes: string[]): Promise<void> => story.change(CLIENT_METRICS, 'some metrics', ...changes);
  for (const change of METRICS) await ofMetrics(`SET ${change}`);
  await story.list(0, []);
  await story.list(1, []);
  await story.describeAt([1, 2, 3, 4], CLIENT_METRICS, 'some metrics', ['interval.ms', 'match', 'metrics']);
  await ofMetrics('DELETE match', 'DELETE interval.ms', 'DELETE metrics');
  await ofMetrics('APPEND metrics=a');
  await ofMetrics('APPEND metrics=b,a');
  await ofMetrics('SUBTRACT metrics=a');
  await ofMetrics('SUBTRACT metrics=b');
  await ofMetrics('APPEND interval.ms=5');
  await ofMetrics('APPEND match=client_id=a');
  await ofMetrics('APPEND no.such.key=a');
  await story.change(CLIENT_METRICS, '', 'SET interval.ms=100');
  await story.replace([{ type: CLIENT_METRICS, name: 'some metrics', changes: ['interval.ms=500'] }], { keys: ['match', 'metrics'] });
  await story.replace([{ type: CLIENT_METRICS, name: 'some metrics', changes: ['interval.ms=5'] }]);
  await story.replace([{ type: CLIENT_METRICS, name: '', changes: ['interval.ms=500'] }]);
  await story.replace([{ type: CLIENT_METRICS, name: 'some metrics', changes: [] }], { keys: ['match', 'metrics', 'interval.ms'] });
  await story.list(0, []);

  for (const change of LEVELS) await story.change(BROKER_LOGGER, '1', change);
  for (const name of ['', '2', 'x', '-1', '01', '+1', '1 ', '99999999999']) await story.change(BROKER_LOGGER, name, 'SET root=INFO');
  await story.changes([{ type: BROKER_LOGGER, name: '1', changes: ['SET root=DEBUG'] }], { validateOnly: true });
  await story.changes([{ type: BROKER_LOGGER, name: '1', changes: ['SET root=WARN', 'SET no.such.logger=INFO'] }]);
  await story.changes([
    { type: BROKER_LOGGER, name: '1', changes: ['SET root=WARN'] },
    { type: GROUP, name: 'g', changes: ['SET no.such=1'] },
  ]);
  await story.changes([{ type: BROKER_LOGGER, name: '1', changes: ['SET root=INFO', 'SET root=WARN'] }]);
  await story.changes([{ type: BROKER_LOGGER, name: '1', changes: [] }], { keys: ['root'] });
  await story.replace([{ type: BROKER_LOGGER, name: '1', changes: ['root=INFO'] }]);
  await story.change(BROKER_LOGGER, '1', 'SET root=INFO');
  return story.close();
}
