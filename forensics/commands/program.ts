import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { commandLine, visible } from '../../record/visible.ts';
import { Journals } from '../journals.ts';
import { FORMS } from '../output/form.ts';
import { showProgress } from '../output/progress.ts';
import { flush } from '../output/stdout.ts';
import { MAIN_HELP } from './help.ts';

const INPUTS = 'files, folders or globs: journals, vCML records, OTLP JSON lines';

/** The command line; `done` gets the exit code of the command that ran. */
export function createProgram(done: (exitCode: number) => void): Command {
  const program = new Command('vcml')
    .description('Asks causal memory: what ran, where, who caused it, and what is missing.')
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

  auditLog(form(program.command('chain')))
    .description('the causes of a record, back to where they end, and why they end')
    .argument('<id>', 'the record’s id, or its beginning')
    .argument('<inputs...>', INPUTS)
    .action(async (id, inputs, options) => {
      const { chain } = await import('./chain.ts');
      done(await reading(inputs, (journals) => chain(journals, id, options)));
    });

  selection(form(program.command('query')))
    .description('records by time, place, user, executable and more; or SQL')
    .option('--limit <n>', 'no more records than this', count)
    .option('--sql <select>', 'a SELECT over the views records, execs, gaps, losses, runs')
    .argument('<inputs...>', INPUTS)
    .action(async (inputs, options) => {
      const { query } = await import('./query.ts');
      done(await reading(inputs, (journals) => query(journals, options)));
    });

  auditLog(selection(form(program.command('tree'))))
    .description('what a record caused, or the records of a selection, as trees')
    .option('--id <id>', 'the record at the root, or the beginning of its id')
    .option('--depth <n>', 'no deeper than this', count, 100)
    .option('--limit <n>', 'no more records than this', count, 1000)
    .option('--no-collapse', 'show every repeated child')
    .argument('<inputs...>', INPUTS)
    .action(async (inputs, options) => {
      const { tree } = await import('./tree.ts');
      const [id, paths] = splitId(options.id, inputs);
      done(await reading(paths, (journals) => tree(journals, id, options)));
    });

  form(program.command('gaps'))
    .description('what is missing: gaps by reason and place, losses, silent times, torn files')
    .option('--silence <seconds>', 'tell when a node had no record for so long', count, 3600)
    .argument('<inputs...>', INPUTS)
    .action(async (inputs, options) => {
      const { gaps } = await import('./gaps.ts');
      done(await reading(inputs, (journals) => gaps(journals, options)));
    });

  form(program.command('stats'))
    .description('records per pod, image, executable, hour; busiest parents; newest executables')
    .option('--top <n>', 'rows of a table', count, 10)
    .argument('<inputs...>', INPUTS)
    .action(async (inputs, options) => {
      const { stats } = await import('./stats.ts');
      done(await reading(inputs, (journals) => stats(journals, options)));
    });

  selection(form(program.command('tail')))
    .description('records as they are written, with the filters of query')
    .argument('<inputs...>', 'a live journal’s folder')
    .action(async (inputs, options) => {
      const { tail } = await import('./tail.ts');
      done(await tail(inputs, options));
    });

  auditLog(selection(program.command('report')))
    .description('one self-contained HTML file about a record or a selection, with causes')
    .requiredOption('-o, --out <file>', 'the file to write')
    .option('--id <id>', 'a record with its causes and what it caused')
    .option('--title <text>', 'what stands above it')
    .option('--limit <n>', 'no more records than this', count, 50_000)
    .argument('<inputs...>', INPUTS)
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
    .description('all records as Parquet, partitioned by day and node')
    .requiredOption('--parquet <dir>', 'an empty folder, or one to be made')
    .argument('<inputs...>', INPUTS)
    .action(async (inputs, { parquet }) => {
      const { exportParquet } = await import('./export.ts');
      done(await reading(inputs, (journals) => exportParquet(journals, parquet)));
    });

  form(program.command('audit'))
    .description(
      'is this memory sound? ids, links, order, numbers, losses, fields; exit code 1: no',
    )
    .option('--limit <n>', 'findings of one kind that are shown as text', count, 20)
    .argument('<inputs...>', INPUTS)
    .action(async (inputs, options) => {
      const { audit } = await import('./audit.ts');
      done(await reading(inputs, (journals) => audit(journals, options)));
    });
  return program;
}

/** Opens the inputs, runs a command over them, and leaves nothing behind. */
async function reading(
  inputs: readonly string[],
  command: (journals: Journals) => Promise<number>,
): Promise<number> {
  const journals = await Journals.open(inputs);
  const stopProgress = showProgress(journals.connection);
  try {
    return await command(journals);
  } finally {
    stopProgress();
    await flush();
    journals.close();
  }
}

function form(command: Command): Command {
  const option = new Option('--output <form>', 'for people, or for programs').choices([...FORMS]);
  return command.addOption(option.default('text'));
}

function auditLog(command: Command): Command {
  return command.option(
    '--audit-log <file>',
    'the API server’s: says which pods/exec requests may be behind an entry',
  );
}

function selection(command: Command): Command {
  return command
    .option('--since <time>', '90s, 15m, 2h or 3d back from now, 2026-01-31, 2026-01-31T12:00:00Z')
    .option('--until <time>', 'before this time')
    .option('--node <name>', 'names take a glob (cart-*) or a regular expression (/^cart-/)')
    .option('-n, --namespace <name>')
    .option('--pod <name>', 'NAME or NAMESPACE/NAME')
    .option('--container <name>', 'name, or the beginning of the id')
    .option('--image <name>')
    .option('--owner <name>', 'NAME or KIND/NAME, such as deployment/cart')
    .option('--label <key=value>', 'a pod’s label, where labels are recorded; may repeat', append)
    .option('--user <uid>', 'real, effective or login user')
    .option('--exe <path>', 'path or name of what was executed')
    .option('--arg <word>', 'any of the arguments')
    .option('--action <name>', 'exec, journal.loss, …')
    .addOption(new Option('--entry <kind>', 'entered a container').choices(['start', 'exec']))
    .option('--gap [reason]', 'has no known cause: predates_hook, lost, untracked, or any')
    .option('--upper-layer', 'the file was written in the running container')
    .option('--memfd', 'the file was in memory only')
    .option('--setuid', 'the file has the setuid bit');
}

/** `tree ID JOURNAL…`: what comes first is an id where no file has its name. */
function splitId(
  given: string | undefined,
  inputs: readonly string[],
): [string | undefined, readonly string[]] {
  const [first = '', ...rest] = inputs;
  if (given !== undefined || rest.length === 0 || existsSync(first) || /[*?[/.]/.test(first))
    return [given, inputs];
  return [first, rest];
}

function append(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function count(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Must be a whole number.');
}
