// An echoing server in a process of its own, which the test starts with few file descriptors. Tells its parent the port, then
// answers each message with what it has counted.
import { echo, METADATA, row, startNetwork } from './support.ts';

const { network, port, listener, failures } = await startNetwork([row(METADATA, echo)], { descriptorsMax: Number(process.argv[2]) });
process.on('message', () => {
  process.send?.({ refused: listener.refusedCount, open: network.connectionCount, failures: failures.map(String) });
});
process.send?.(port);
