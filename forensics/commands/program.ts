import { Command, InvalidArgumentError, Option } from 'commander';
import { Journals } from '../journals.ts';
import { FORMS } from '../output/form.ts';
import { showProgress } from '../output/progress.ts';
import { flush } from '../output/stdout.ts';
import { visible } from '../output/visible.ts';
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

  form(program.command('chain'))
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

function append(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function count(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Must be a whole number.');
}
