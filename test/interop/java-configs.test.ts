// Apache Kafka's own tool for configurations: what it sets, shows and takes back, and what it is refused. Each run is a JVM.
import { expect, test } from 'vitest';
import { runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { kafkaTools, TOOL_ENVIRONMENT } from './toolchains.ts';

describeSubjects("Kafka's configs tool", { tool: kafkaTools }, (subject, program) => {
  async function configs(...args: string[]): Promise<{ code: number | null; story: string; out: string }> {
    const all = ['run', 'configs', '--bootstrap-server', subject.address, ...args];
    return runProgram(program(), all, { environment: TOOL_ENVIRONMENT });
  }

  async function good(...args: string[]): Promise<string> {
    const { code, story, out } = await configs(...args);
    expect(code, story).toBe(0);
    return out;
  }

  test('of a topic', async () => {
    const topic = subject.newTopic('configs');
    const made = await runProgram(program(), ['run', 'topics', '--bootstrap-server', subject.address, '--create', '--topic', topic], {
      environment: TOOL_ENVIRONMENT,
    });
    expect(made.code, made.story).toBe(0);
    const entity = ['--entity-type', 'topics', '--entity-name', topic];
    await good('--alter', ...entity, '--add-config', 'retention.ms=7000,cleanup.policy=[compact,delete]');
    const shown = await good('--describe', ...entity);
    expect(shown).toContain('  retention.ms=7000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=7000');
    expect(shown).toContain('  cleanup.policy=compact,delete sensitive=false');
    await good('--alter', ...entity, '--delete-config', 'retention.ms');
    expect(await good('--describe', ...entity)).not.toContain('retention.ms=7000');
    expect(await good('--describe', '--all', ...entity)).toContain('  retention.ms=604800000 sensitive=false synonyms={}');
    const refused = await configs('--alter', ...entity, '--add-config', 'retention.ms=x');
    expect(refused.story).toContain('Invalid value x for configuration retention.ms: Not a number of type LONG');
    expect(refused.code).toBe(1);
  });

  test('of brokers', async () => {
    const one = ['--entity-type', 'brokers', '--entity-name', '1'];
    const all = ['--entity-type', 'brokers', '--entity-default'];
    await good('--alter', ...all, '--add-config', 'log.retention.ms=5000');
    await good('--alter', ...one, '--add-config', 'log.retention.ms=6000');
    expect(await good('--describe', ...one)).toContain(
      'log.retention.ms=6000 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.retention.ms=6000, DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=5000',
    );
    await good('--alter', ...one, '--delete-config', 'log.retention.ms');
    await good('--alter', ...all, '--delete-config', 'log.retention.ms');
    const refused = await configs('--alter', ...one, '--add-config', 'num.partitions=3');
    expect(refused.story).toContain('Cannot update these configs dynamically: [num.partitions]');
    expect(refused.code).toBe(1);
  });

  test('of groups, loggers and client metrics', async () => {
    const group = ['--entity-type', 'groups', '--entity-name', 'told'];
    await good('--alter', ...group, '--add-config', 'consumer.session.timeout.ms=50000');
    expect(await good('--describe', ...group)).toContain(
      'consumer.session.timeout.ms=50000 sensitive=false synonyms={DYNAMIC_GROUP_CONFIG:',
    );
    await good('--alter', ...group, '--delete-config', 'consumer.session.timeout.ms');
    const logger = ['--entity-type', 'broker-loggers', '--entity-name', '1'];
    await good('--alter', ...logger, '--add-config', 'root=ERROR');
    expect(await good('--describe', ...logger)).toContain('root=ERROR');
    await good('--alter', ...logger, '--add-config', 'root=INFO');
    const metrics = ['--entity-type', 'client-metrics', '--entity-name', 'pushed'];
    await good('--alter', ...metrics, '--add-config', 'interval.ms=1000,metrics=org.apache.kafka');
    expect(await good('--describe', '--entity-type', 'client-metrics')).toContain('interval.ms=1000');
    await good('--alter', ...metrics, '--delete-config', 'interval.ms,metrics');
  });
});
