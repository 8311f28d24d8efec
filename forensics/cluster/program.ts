import { Command, InvalidArgumentError, Option } from 'commander';
import { concluding, LINKS } from '../commands/concluding.ts';
import {
  auditLog,
  caused,
  count,
  form,
  refuseUnclear,
  selection,
  storeConnection,
} from '../commands/options.ts';
import { reading } from '../commands/reading.ts';
import { refusal } from '../commands/refusal.ts';
import type { Journals } from '../journals.ts';
import { isCaused } from '../select/caused.ts';
import { HELP } from './help.ts';
import { askCluster } from './opening.ts';
import type { Question } from './question.ts';

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000 };

/** Declares the command line of `kubectl vcml`; `done` receives the exit code of the command. */
export function createClusterProgram(done: (exitCode: number) => void): Command {
  const program = new Command('kubectl vcml')
    .description('Asks the agents of a cluster what ran, who caused it, and what is missing.')
    .configureOutput(refusal('kubectl vcml'))
    .addHelpText('after', HELP)
    .exitOverride();

  asking(storeConnection(auditLog(form(program.command('chain'), 'sentences'))))
    .description('print a record and its causes, back to where they end, and why they end there')
    .argument('<id>', 'id of the record, or at least its first 4 characters')
    .option('--node <name>', 'name of the node; without it, all nodes are asked')
    .action(async (id, { node, ...options }) => {
      const { chain } = await import('../commands/chain.ts');
      const answer = (journals: Journals) => chain(journals, id, options);
      done(await reading(askCluster({ ...options, node }, { id }), answer, concluding({}, LINKS)));
    });

  asking(storeConnection(caused(auditLog(selection(form(program.command('query')))))))
    .description('print records by time, place, user, executable and more, or run SQL')
    .option('--limit <n>', 'maximum number of records', count)
    .option('--sql <select>', 'SELECT over the views records, execs, gaps, losses and runs')
    .action(async (options) => {
      refuseUnclear(options);
      const { query, MARKED } = await import('../commands/query.ts');
      const question = options.sql === undefined ? options : timesOf(options);
      const answer = (journals: Journals) => query(journals, options);
      const scanned = isCaused(options) ? LINKS : MARKED;
      done(await reading(askCluster(options, question), answer, concluding(options, scanned)));
    });

  asking(storeConnection(caused(auditLog(selection(form(program.command('tree')))))))
    .description('print what a record or a selection caused, as trees')
    .argument('[id]', 'id of the record at the root, or at least its first 4 characters')
    .option('--depth <n>', 'maximum depth of the tree', count, 100)
    .option('--limit <n>', 'maximum number of records', count, 1000)
    .option('--no-collapse', 'show each of several equal children')
    .action(async (id, options) => {
      refuseUnclear(options);
      const { tree } = await import('../commands/tree.ts');
      const question = id === undefined ? options : { id };
      const answer = (journals: Journals) => tree(journals, id, options);
      done(await reading(askCluster(options, question), answer, concluding(options, LINKS)));
    });

  times(asking(form(program.command('gaps'))))
    .description('print what is missing: gaps by reason and place, losses, times without records')
    .option(
      '--silence <seconds>',
      'report times of at least this length without a record',
      count,
      3600,
    )
    .action(async (options) => {
      const { gaps, HOLES } = await import('../commands/gaps.ts');
      const answer = (journals: Journals) => gaps(journals, options);
      done(await reading(askCluster(options, options), answer, concluding(options, HOLES)));
    });

  times(asking(form(program.command('stats'))))
    .description('count records by pod, image, executable and hour')
    .option('--top <n>', 'maximum number of rows of a table', count, 10)
    .action(async (options) => {
      const { stats, COUNTED } = await import('../commands/stats.ts');
      const answer = (journals: Journals) => stats(journals, options);
      done(await reading(askCluster(options, options), answer, concluding(options, COUNTED)));
    });
  return program;
}

/** A statement in SQL may ask for every record of a time. */
function timesOf({ since, until }: Question): Question {
  return { ...(since && { since }), ...(until && { until }), isExact: true };
}

function times(command: Command): Command {
  return command
    .option('--since <time>', 'from this time on, or an age such as 15m, 2h or 3d')
    .option('--until <time>', 'before this time')
    .option('--node <name>', 'name of the node; without it, all nodes are asked');
}

function asking(command: Command): Command {
  return command
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig, instead of the one that kubectl reads')
    .option('--agent-namespace <name>', 'namespace of the agents; default: all namespaces')
    .option(
      '--selector <labels>',
      'labels of the agents’ pods',
      'app.kubernetes.io/name=vcml-agent,app.kubernetes.io/component=agent',
    )
    .addOption(
      new Option('--timeout <duration>', 'how long a node may take to answer')
        .argParser(durationMs)
        .default(120_000, '2m'),
    );
}

function durationMs(value: string): number {
  const [, amount, unit = ''] = /^(\d{1,6})([sm])$/.exec(value) ?? [];
  const ms = UNITS_MS[unit];
  if (amount !== undefined && ms !== undefined) return Number(amount) * ms;
  throw new InvalidArgumentError('Must be a duration such as 90s or 5m.');
}
