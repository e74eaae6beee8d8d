// Picks the command. What a command needs is loaded by the command.
// Runs on: the main thread.
import module from 'node:module';
import { dirname } from 'node:path';
import { VERSION } from '../base/version.ts';
import { WORKER_ENTRY } from '../broker/worker-entry.ts';
import { keepCompiledCode } from '../scheduler/compiled-code.ts';
import { SpareThreads } from '../scheduler/spare-threads.ts';
import { startCommand } from './commands/start-options.ts';
import { type CliCommand, commandHelp, programHelp, UsageError } from './options.ts';

const COMMANDS: readonly CliCommand[] = [startCommand];

/** Runs a command line without its program. Sets the exit code; a broker goes on running. */
export async function run(args: readonly string[]): Promise<void> {
  useCompiledCode();
  const [first, ...rest] = args;
  if (first === '--version' || first === '-v') {
    process.stdout.write(`naru ${VERSION}\n`);
  } else if (first === '--help' || first === '-h' || first === 'help') {
    process.stdout.write(programHelp(COMMANDS));
  } else if (first === undefined) {
    process.stderr.write(programHelp(COMMANDS));
    process.exitCode = 1;
  } else if (first !== startCommand.name) {
    fail(`there is no command "${first}"; see naru --help`);
  } else if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(commandHelp(startCommand));
  } else {
    await runStart(rest);
  }
}

/** Lets Node use compiled code of former starts. Worker threads hear of it by the variable, to which Node adds its version. docs/decisions/0004-bundle.md */
function useCompiledCode(): void {
  module.enableCompileCache();
  const directory = module.getCompileCacheDir();
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= dirname(directory);
}

/** Nearly every broker has a thread, and that takes the longest: one begins before the settings are read, or what reads them is loaded. */
async function runStart(args: readonly string[]): Promise<void> {
  try {
    await SpareThreads.lend(WORKER_ENTRY, 1, async (spares) => {
      const { realProcess, start } = await import('./commands/start.ts');
      await start(args, realProcess(spares));
    });
    keepCompiledCode();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    fail(`${error.message}; see naru start --help`);
  }
}

function fail(message: string): void {
  process.stderr.write(`naru: ${message}\n`);
  process.exitCode = 1;
}
