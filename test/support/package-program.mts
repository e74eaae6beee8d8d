// A program of somebody who has installed the package: test/tools/package.test.ts copies it into a project of its own, checks its types there
// without those of Node, and runs it. It says where its broker is, and stops it when its input ends.
import { type EmbeddedBroker, type StartBrokerOptions, startBroker } from 'naru/embedded';

declare const console: { log(line: string): void };
declare const process: { readonly argv: readonly string[]; readonly stdin: AsyncIterable<unknown> };

const options: StartBrokerOptions = { config: { 'naru.workers': Number(process.argv[2]), 'auto.create.topics.enable': true } };
// @ts-expect-error: a value is a string, a number or a boolean.
export const refused: StartBrokerOptions = { config: { 'log.dirs': ['a', 'b'] } };
// @ts-expect-error: no such option.
export const misspelt: StartBrokerOptions = { ports: 9092 };

await using broker: EmbeddedBroker = await startBroker(options);
console.log(broker.bootstrapServers);
for await (const _ of process.stdin) {
  // Until it ends.
}
