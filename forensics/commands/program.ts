import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { commandLine, visible } from '../../record/visible.ts';
import { EXIT, ForensicsError } from '../errors.ts';
import { namedInputs, splitId } from '../inputs/named.ts';
import { Temporary } from '../inputs/temporary.ts';
import { Journals } from '../journals.ts';
import { FORMS } from '../output/form.ts';
import { printNotes } from '../output/notes.ts';
import { showProgress } from '../output/progress.ts';
import { flush } from '../output/stdout.ts';
import { MAIN_HELP } from './help.ts';

const INPUTS =
  'files, folders or globs with journals, vCML records or OTLP JSON lines; without one, the journal of this node';

/** Declares the command line; `done` receives the exit code of the command that ran. */
export function createProgram(done: (exitCode: number) => void): Command {
  const program = new Command('vcml')
    .description('Queries causal memory: what ran, where, who caused it, and what is missing.')
    .configureOutput({
      outputError: (text, write) =>
        write(
          visible(text.trimEnd())
            .replace(/^error:/, 'vcml:')
            .concat('\n'),
        ),
    })
    .addHelpText('after', MAIN_HELP)
    .exitOverride();

  auditLog(form(program.command('chain'), 'sentences'))
    .description('print a record and its causes, back to where they end, and why they end there')
    .argument('<id>', 'id of the record, or the beginning of it')
    .argument('[inputs...]', INPUTS)
    .action(async (id, inputs, options) => {
      const { chain } = await import('./chain.ts');
      done(await reading(inputs, (journals) => chain(journals, id, options)));
    });

  selection(form(program.command('query')))
    .description('print records by time, place, user, executable and more, or run SQL')
    .option('--limit <n>', 'maximum number of records', count)
    .option('--sql <select>', 'SELECT over the views records, execs, gaps, losses and runs')
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { query } = await import('./query.ts');
      done(await reading(inputs, (journals) => query(journals, options)));
    });

  auditLog(selection(form(program.command('tree'))))
    .description('print what a record or a selection caused, as trees')
    .option('--id <id>', 'id of the record at the root, or the beginning of it')
    .option('--depth <n>', 'maximum depth of the tree', count, 100)
    .option('--limit <n>', 'maximum number of records', count, 1000)
    .option('--no-collapse', 'show each of several equal children')
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { tree } = await import('./tree.ts');
      const [id, paths] = splitId(options.id, inputs);
      done(await reading(paths, (journals) => tree(journals, id, options)));
    });

  form(program.command('gaps'))
    .description(
      'print what is missing: gaps by reason and place, losses, times without records, torn files',
    )
    .option(
      '--silence <seconds>',
      'report times of at least this length without a record of a node',
      count,
      3600,
    )
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { gaps } = await import('./gaps.ts');
      done(await reading(inputs, (journals) => gaps(journals, options)));
    });

  form(program.command('stats'))
    .description(
      'count records by pod, image, executable and hour; show the busiest parents and the newest executables',
    )
    .option('--top <n>', 'maximum number of rows of a table', count, 10)
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { stats } = await import('./stats.ts');
      done(await reading(inputs, (journals) => stats(journals, options)));
    });

  selection(form(program.command('tail')))
    .description('print records as they are written, with the filters of query')
    .argument(
      '[inputs...]',
      'folder of a journal that an agent writes; without one, that of this node',
    )
    .action(async (inputs, options) => {
      const { tail } = await import('./tail.ts');
      done(await tail(namedInputs(inputs), options));
    });

  auditLog(selection(program.command('report')))
    .description(
      'write one self-contained HTML file, or Markdown for a ticket, about a record or a selection, with all causes',
    )
    .requiredOption('-o, --out <file>', 'file to write')
    .option('--id <id>', 'id of a record: the report shows its causes and what it caused')
    .option('--title <text>', 'title of the report')
    .option('--markdown', 'write Markdown')
    .option('--limit <n>', 'maximum number of records (default: 50000, or 200 in Markdown)', count)
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { report } = await import('./report.ts');
      const [id, paths] = splitId(options.id, inputs);
      const words = commandLine(process.argv.slice(2));
      done(
        await reading(paths, (journals) => report(journals, id, { ...options, selection: words })),
      );
    });

  program
    .command('export')
    .description('write all records as Parquet, partitioned by day and node')
    .requiredOption('--parquet <dir>', 'folder to write to; it must be empty or not exist')
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, { parquet }) => {
      const { exportParquet } = await import('./export.ts');
      done(await reading(inputs, (journals) => exportParquet(journals, parquet)));
    });

  form(program.command('audit'))
    .description(
      'check ids, links, order, numbers, losses and fields; exit code 1 means that there are findings',
    )
    .option('--limit <n>', 'maximum number of findings of one kind in text output', count, 20)
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { audit } = await import('./audit.ts');
      done(await reading(inputs, (journals) => audit(journals, options)));
    });

  program
    .command('completion')
    .description('print the completion of commands and options for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell) => {
      const { completion } = await import('./completion.ts');
      done(await completion(program, shell));
    });
  return program;
}

/** Opens the inputs, runs a command over them, and removes temporary files. */
async function reading(
  inputs: readonly string[],
  command: (journals: Journals) => Promise<number>,
): Promise<number> {
  const temporary = new Temporary();
  let journals: Journals | undefined;
  const stopProgress = showProgress(() => ({
    percentages: [
      journals?.percentage ?? 0,
      // A bar between the lines of an answer would be in their way.
      process.stdout.isTTY ? 0 : (journals?.fetched ?? 0),
    ],
    copied: temporary.bytes,
  }));
  try {
    journals = await Journals.open(namedInputs(inputs), undefined, temporary);
    return exitCodeOf(journals, await command(journals));
  } catch (error) {
    // What does not exist in a part of the inputs may exist in the rest.
    const isNegative = error instanceof ForensicsError && error.exitCode === EXIT.negative;
    if (journals === undefined || !isNegative) throw error;
    await printNotes(journals);
    if (!journals.isPartial) throw error;
    throw new ForensicsError(partialOf(journals), error.message, { cause: error });
  } finally {
    stopProgress();
    await flush();
    journals?.close();
  }
}

function exitCodeOf(journals: Journals, exitCode: number): number {
  return exitCode === 0 && journals.isPartial ? EXIT[partialOf(journals)] : exitCode;
}

function partialOf({ recordCount }: Journals): 'partial' | 'unreadable' {
  return recordCount === 0 ? 'unreadable' : 'partial';
}

function form(command: Command, ...more: readonly string[]): Command {
  const forms = [...FORMS, ...more];
  const option = new Option('--output <form>', 'form of the output').choices(forms);
  return command.addOption(option.default('text'));
}

function auditLog(command: Command): Command {
  return command.option(
    '--audit-log <file>',
    'audit log of the API server, to find the pods/exec requests that may be behind an exec',
  );
}

function selection(command: Command): Command {
  return command
    .option(
      '--since <time>',
      'from this time on: 2026-01-31, 2026-01-31T12:00:00Z, or an age such as 90s, 15m, 2h or 3d',
    )
    .option('--until <time>', 'before this time')
    .option(
      '--node <name>',
      'name of the node; each name may be a glob (cart-*) or a regular expression (/^cart-/)',
    )
    .option('-n, --namespace <name>')
    .option('--pod <name>', 'NAME or NAMESPACE/NAME')
    .option('--container <name>', 'name of the container, or the beginning of its id')
    .option('--image <name>')
    .option('--owner <name>', 'NAME or KIND/NAME, such as deployment/cart')
    .option(
      '--label <key=value>',
      'label of the pod, if labels are recorded; may be repeated',
      append,
    )
    .option('--user <uid>', 'number of the real, effective or login user, or root')
    .option('--exe <path>', 'path or name of the executable')
    .option('--arg <word>', 'one of the arguments')
    .option('--action <name>', 'exec, journal.loss, …')
    .addOption(
      new Option('--entry <kind>', 'how the exec entered its container').choices(['start', 'exec']),
    )
    .option(
      '--gap [reason]',
      'execs without a known cause, for this reason (predates_hook, lost, untracked) or any',
    )
    .option('--upper-layer', 'executables that were written in the running container')
    .option('--memfd', 'executables that existed in memory only')
    .option('--setuid', 'executables with the setuid bit');
}

function append(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function count(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Must be a whole number.');
}
