import type { Command } from 'commander';
import { AgentError, EXIT, exitCodeOf } from './errors.ts';
import { stopSignal } from './stop-signal.ts';
import { VERSION } from './version.ts';

/** Runs the command that `argv` names (as process.argv has it); returns the exit code. */
export async function main(argv: string[]): Promise<number> {
  // A closed stderr or stdout does not end the agent.
  process.stderr.on('error', () => {});
  process.stdout.on('error', () => {});
  try {
    const [flag, ...more] = argv.slice(2);
    if (more.length === 0 && (flag === '--version' || flag === '-V')) {
      process.stdout.write(`${VERSION}\n`);
      return 0;
    }
    // From the first moment on: after an uninstall the run must detach the hook of an earlier run.
    const stop = flag === 'run' ? stopSignal() : new AbortController().signal;
    // The parser and the schema take longer to load than Node itself.
    const { createProgram } = await import('./commands/program.ts');
    return await parse((done) => createProgram(done, stop), argv);
  } catch (error) {
    return report(error);
  }
}

async function parse(
  createProgram: (done: (exitCode: number) => void) => Command,
  argv: string[],
): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv);
    return exitCode;
  } catch (error) {
    if (!isCommanderError(error)) throw error;
    // Commander has printed the message. Help and version are no errors.
    return error.exitCode === 0 ? 0 : EXIT.usage;
  }
}

function isCommanderError(error: unknown): error is { exitCode: number } {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && code.startsWith('commander.');
}

/** Prints an error of the registry as a sentence, and any other as a bug, with its stack. */
function report(error: unknown): number {
  const exitCode = exitCodeOf(error);
  const foreseen = error instanceof AgentError || exitCode !== EXIT.bug;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(`vcml-agent: ${foreseen ? message : (stack ?? message)}\n`);
  return exitCode;
}
