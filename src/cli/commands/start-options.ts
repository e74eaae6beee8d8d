// The options of `naru start`, apart from what runs it, so that the help text needs nothing else.
// Pure.
import type { CliCommand } from '../options.ts';

export const startCommand: CliCommand = {
  name: 'start',
  doc: 'starts a broker in the foreground',
  options: [
    { name: 'config', value: 'FILE', doc: 'a server.properties file' },
    { name: 'override', value: 'KEY=VALUE', isRepeatable: true, doc: 'one option; stronger than the file and NARU_ variables' },
    { name: 'port', value: 'N', doc: 'the port to listen on (9092); 0 takes a free one' },
    { name: 'data-dir', value: 'DIR', doc: 'the data directory (./data)' },
    { name: 'help', value: null, doc: 'this text' },
  ],
};
