import type { Command } from 'commander';
import { visible } from '../record/visible.ts';
import { EXIT, ForensicsError } from './errors.ts';
import { notWritten } from './output/written.ts';

/** Runs the command that `argv` (in the form of process.argv) names, and returns the exit code. */
export async function main(argv: string[], load = loadProgram): Promise<number> {
  process.stdout.on('error', endUnwritten);
  process.stderr.on('error', () => {});
  try {
    return await parse(await load(), argv);
  } catch (error) {
    return report(error);
  }
}

/** A closed pipe, as in `vcml query … | head`, is not a failure; a full disk is. */
function endUnwritten(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? 0 : report(notWritten('the answer', error)));
}

/** Declares a command line. */
type CreateProgram = (done: (exitCode: number) => void) => Command;

async function loadProgram(): Promise<CreateProgram> {
  const { createProgram } = await import('./commands/program.ts');
  return createProgram;
}

async function parse(createProgram: CreateProgram, argv: string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv);
    return exitCode;
  } catch (error) {
    const { code, exitCode: given } = error as { code?: unknown; exitCode?: unknown };
    if (typeof code !== 'string' || !code.startsWith('commander.')) throw error;
    // Commander has printed the message; help is not an error.
    return given === 0 ? 0 : EXIT.usage;
  }
}

/** What the system and DuckDB say when a disk is full. */
const IS_FULL =
  /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded|failed to offload data block/;

/** Prints one sentence for an error that the user can mend, and the stack for a bug. */
function report(error: unknown): number {
  if (error instanceof ForensicsError) {
    process.stderr.write(`vcml: ${visible(error.message)}\n`);
    return error.exitCode;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (IS_FULL.test(message)) {
    const [said = ''] = message.split('\n');
    process.stderr.write(
      `vcml: a disk is full: ${visible(said)} (temporary files are in the folder that TMPDIR names)\n`,
    );
    return EXIT.unwritable;
  }
  const lines = (stack ?? message).split('\n').map((line) => visible(line));
  process.stderr.write(`vcml: ${lines.join('\n')}\n`);
  return EXIT.bug;
}
