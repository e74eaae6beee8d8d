// The entry of a worker that echoes: for tests that hand connections to threads.

import { MIB } from '../../src/base/units.ts';
import { NetworkActor } from '../../src/network/network-actor.ts';
import { SocketTransport } from '../../src/network/socket-transport.ts';
import { runWorker } from '../../src/scheduler/worker-runtime.ts';
import { echo, METADATA, row } from './support.ts';

runWorker((runtime, _data: null, supervisor) => {
  const network = new NetworkActor(runtime, {
    rows: [row(METADATA, echo)],
    requestBytesMax: 100 * MIB,
    stallMs: 10_000,
    inflightMax: 16,
    log: () => {},
    onClosed: (closed) => supervisor.send({ closed }),
  });
  return {
    onControl() {},
    onSupervisor() {},
    onConnection: (descriptor) => network.adopt(new SocketTransport(descriptor)),
    stop: (done) => network.closeAll(done),
  };
});
