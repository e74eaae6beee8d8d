// An offsets topic that cannot be made as the broker's options want it: Apache Kafka starts all the same and answers every FindCoordinator
// with COORDINATOR_NOT_AVAILABLE. So does Naru, and says once why.
import { expect, it } from 'vitest';
import { findCoordinatorRequest, findCoordinatorResponse } from '../../src/protocol/apis/find-coordinator.ts';
import { ERROR } from '../../src/protocol/errors.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { WireClient } from '../support/wire-client.ts';

it('an offsets topic that is refused is told of in one line, with the option and its value', async () => {
  const broker = await BrokerProcess.start({ workers: 0, overrides: { 'offsets.topic.segment.bytes': '65536' } });
  try {
    const client = await WireClient.connect(broker.port);
    for (let i = 0; i < 20; i++) {
      const { coordinators } = await client.ask(findCoordinatorRequest, findCoordinatorResponse, 4, { coordinatorKeys: [`g${i}`] });
      expect(coordinators).toMatchObject([{ errorCode: ERROR.COORDINATOR_NOT_AVAILABLE, nodeId: -1 }]);
    }
    client.close();
    expect(await broker.stop()).toEqual({ code: 0, signal: null });
    const lines = broker.output.split('\n').filter((line) => line.includes('__consumer_offsets'));
    expect(lines).toHaveLength(1);
    for (const said of ['cannot be made', 'INVALID_CONFIG', 'segment.bytes', '65536', '1048576', 'offsets.topic.segment.bytes']) {
      expect(lines[0]).toContain(said);
    }
  } finally {
    await broker.dispose();
  }
});
