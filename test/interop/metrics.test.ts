// /metrics, read by Prometheus' own client for Python.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { labelled } from '../support/batches.ts';
import { freePort } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';
import { runProgram } from './run-program.ts';
import { describeSubjects } from './subject.ts';
import { pythonClients } from './toolchains.ts';

const httpPort = await freePort();
const url = `http://127.0.0.1:${httpPort}`;

describeSubjects('metrics', { tool: pythonClients, isNaruOnly: true, overrides: { 'naru.http.listener': url } }, (subject, program) => {
  test('Prometheus’ parser reads every family that the page names', async () => {
    const client = await WireClient.connect(Number(subject.address.split(':')[1]));
    const topic = subject.newTopic('metrics');
    await client.createTopic(topic, 3);
    for (let each = 0; each < 30; each++) await client.produce(topic, each % 3, labelled('m', 0, 1));
    client.close();
    const file = join(import.meta.dirname, 'python/metrics.py');
    const result = await runProgram(program(), [file, `${url}/metrics`], { environment: { PYTHONDONTWRITEBYTECODE: '1' } });
    expect(result.code, result.story).toBe(0);
    expect(result.out).toMatch(/^naru_partition_high_watermark gauge 30$/m);
    expect(result.out).toMatch(/^naru_request_duration_seconds histogram /m);
    expect(result.out.trim().split('\n').length).toBeGreaterThan(40);
  });
});
