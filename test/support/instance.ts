// A broker in a process that is not only the broker's, as an application has one: what such a process hears when the broker fails, and that it goes on.
// Arguments: directory, workers. Says `ready PORT`, then `failed REASON`, then starts another one on the same directory and says `ready PORT`.
import { startBroker } from '../../src/broker/broker.ts';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { loggerTo } from '../../src/telemetry/logger.ts';

const [directory = '', workers = '0'] = process.argv.slice(2);
const { config } = resolveBrokerConfig({
  overrides: [
    ['log.dirs', directory],
    ['naru.workers', workers],
    ['listeners', 'PLAINTEXT://127.0.0.1:0'],
  ],
  coreCount: 2,
});
const logger = loggerTo(() => {}, 'error');
const start = async () => {
  const broker = await startBroker(config, logger);
  console.log(`ready ${broker.ready.listeners[0]?.port}`);
  return broker;
};
const first = await start();
const reason = await first.failed;
console.log(`failed ${reason.message}`);
const second = await start();
process.on('SIGTERM', () => void second.stop().then(() => console.log('stopped')));
