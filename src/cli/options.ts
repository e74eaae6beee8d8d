// The command line's options as rows, for node:util's parser and for the help text.
// Pure (node:util's parser has no state). Why no command-line library: docs/decisions/0003-command-line.md.
import { parseArgs } from 'node:util';

export interface CliOption {
  readonly name: string;
  /** What stands for the value in the help text; null where the option takes none. */
  readonly value: string | null;
  readonly isRepeatable?: boolean;
  readonly doc: string;
}

export interface CliCommand {
  readonly name: string;
  readonly doc: string;
  readonly options: readonly CliOption[];
}

/** A command line that nobody can make sense of. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** The values by option, in the order given; an option without a value has an empty text. Throws UsageError. */
export function parseOptions(command: CliCommand, args: readonly string[]): Map<string, string[]> {
  const options = Object.fromEntries(
    command.options.map(({ name, value }) => [name, { type: value === null ? ('boolean' as const) : ('string' as const), multiple: true }]),
  );
  const values = new Map<string, string[]>();
  for (const [name, given] of Object.entries(parse(args, options))) {
    const texts = (Array.isArray(given) ? given : [given]).map((each) => (typeof each === 'string' ? each : ''));
    const row = command.options.find((each) => each.name === name);
    if (texts.length > 1 && row?.isRepeatable !== true) throw new UsageError(`--${name} was given ${texts.length} times`);
    values.set(name, texts);
  }
  return values;
}

type ParserOptions = Record<string, { type: 'boolean' | 'string'; multiple: boolean }>;

function parse(args: readonly string[], options: ParserOptions): Record<string, unknown> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // The first sentence says what is wrong; the rest is advice about positional arguments.
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error));
  }
}

function optionLine(option: CliOption): [string, string] {
  return [`--${option.name}${option.value === null ? '' : ` ${option.value}`}${option.isRepeatable ? ' …' : ''}`, option.doc];
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
}

export function commandHelp(command: CliCommand): string {
  return `Usage: naru ${command.name} [options]\n\n${command.doc}\n\n${table(command.options.map(optionLine))}`;
}

export function programHelp(commands: readonly CliCommand[]): string {
  const rows: [string, string][] = commands.map(({ name, doc }) => [name, doc]);
  return (
    'Usage: naru <command> [options]\n\nA Kafka-compatible event streaming broker.\n\n' +
    `Commands:\n${table(rows)}\n` +
    `Options:\n${table([
      ['--help', 'this text; after a command, its own'],
      ['--version', 'the version'],
    ])}\n` +
    commands.map((command) => `naru ${command.name}:\n${table(command.options.map(optionLine))}`).join('\n')
  );
}
