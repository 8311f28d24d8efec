import { readFileSync } from 'node:fs';
import { Argument, Command } from 'commander';
import { commandLine } from '../../record/visible.ts';
import { isArchive } from '../archive/address.ts';
import type { Witness } from '../audit/checkpoints/witness.ts';
import { ForensicsError } from '../errors.ts';
import { namedInputs, splitId } from '../inputs/named.ts';
import { MANIFEST } from '../installed.ts';
import type { Journals } from '../journals.ts';
import { type Caused, isCaused } from '../select/caused.ts';
import type { Times } from '../select/filter.ts';
import { isStore } from '../store/address.ts';
import type { Question } from '../store/answer/question.ts';
import type { ConnectionOptions } from '../store/connect.ts';
import { concluding, LINKS } from './concluding.ts';
import { filesOf } from './files.ts';
import { MAIN_HELP } from './help.ts';
import {
  append,
  auditLog,
  caused,
  count,
  execSelection,
  form,
  refuseUnclear,
  selection,
  someText,
  storeConnection,
} from './options.ts';
import { type Opening, reading } from './reading.ts';
import { refusal } from './refusal.ts';

const INPUTS =
  'files, folders or globs with journals, vCML records or OTLP, or s3://BUCKET/KEY; without one, the journal of this node';

const WITNESS =
  'files or folders of a collector, or clickhouse://USER@HOST:PORT/DATABASE; may be repeated';

/** Declares the command line; `done` receives the exit code of the command that ran. */
export function createProgram(done: (exitCode: number) => void): Command {
  const program = new Command('vcml')
    .description('Queries causal memory: what ran, where, who caused it, and what is missing.')
    .version(JSON.parse(readFileSync(MANIFEST, 'utf8')).version)
    .configureOutput(refusal('vcml'))
    .addHelpText('after', MAIN_HELP)
    .exitOverride();

  storeConnection(auditLog(form(program.command('chain'), 'sentences')))
    .description('print a record and its causes, back to where they end, and why they end there')
    .option('--since <time>', 'in a store, where an id begins so: not before this time')
    .option('--node <name>', 'of this node, where several nodes have the id, or in a store')
    .argument('<id>', 'id of the record, or the beginning of it', someText)
    .argument('[inputs...]', INPUTS)
    .action(async (id, inputs, options) => {
      const { chain } = await import('./chain.ts');
      if (!inputs.some(isStore) && options.since !== undefined)
        throw new ForensicsError('usage', '--since of chain is for a store');
      const opening = await openingOf(inputs, options, { ...options, id });
      const answer = (journals: Journals) => chain(journals, id, options);
      done(await reading(opening, answer, concluding({}, LINKS)));
    });

  storeConnection(caused(auditLog(selection(form(program.command('query'))))))
    .description('print records by time, place, user, executable and more, or run SQL')
    .option('--limit <n>', 'maximum number of records', count)
    .option(
      '--sql <select>',
      'SELECT over the views records, execs, gaps, losses, withheld and runs of what is selected',
    )
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { query, MARKED } = await import('./query.ts');
      const opening = await openingOf(inputs, options, options);
      const answer = (journals: Journals) => query(journals, options);
      const scanned = isCaused(options) ? LINKS : MARKED;
      done(await reading(opening, answer, concluding(options, scanned)));
    });

  storeConnection(caused(auditLog(selection(form(program.command('tree'))))))
    .description('print what a record or a selection caused, as trees')
    .option('--id <id>', 'id of the record at the root, or the beginning of it', someText)
    .option('--depth <n>', 'maximum depth of the tree', count, 100)
    .option('--limit <n>', 'maximum number of records', count, 1000)
    .option('--no-collapse', 'show each of several equal children')
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { tree } = await import('./tree.ts');
      const [id, paths] = splitId(options.id, inputs);
      const opening = await openingOf(paths, options, { ...options, id, effects: true });
      const answer = (journals: Journals) => tree(journals, id, options);
      done(await reading(opening, answer, concluding(options, LINKS)));
    });

  ofStore(form(program.command('gaps')))
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
      if (isStoreAlone(inputs, options)) {
        const { storeGaps } = await import('../store/answer/summaries.ts');
        return done(await storeGaps(inputs[0], options));
      }
      const { gaps, HOLES } = await import('./gaps.ts');
      const answer = (journals: Journals) => gaps(journals, options);
      done(await reading(await filesOf(inputs), answer, concluding({}, HOLES)));
    });

  ofStore(form(program.command('stats')))
    .description(
      'count records by pod, image, executable and hour; show the busiest parents and the newest executables',
    )
    .option('--top <n>', 'maximum number of rows of a table', count, 10)
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      if (isStoreAlone(inputs, options)) {
        const { storeStats } = await import('../store/answer/summaries.ts');
        return done(await storeStats(inputs[0], options));
      }
      const { stats, COUNTED } = await import('./stats.ts');
      const answer = (journals: Journals) => stats(journals, options);
      done(await reading(await filesOf(inputs), answer, concluding({}, COUNTED)));
    });

  storeConnection(selection(form(program.command('tail'))))
    .description('print records as they are written, with the filters of query')
    .argument(
      '[inputs...]',
      'folder of a journal that an agent writes, or a store; without one, that of this node',
    )
    .action(async (inputs, options) => {
      const { follow, tail } = await import('./tail.ts');
      refuseArchive(inputs);
      const [first = ''] = inputs;
      if (inputs.length === 1 && isStore(first)) {
        const { followStore } = await import('../store/answer/follow-store.ts');
        return done(await follow(() => followStore(first, options, options), options));
      }
      done(await tail(namedInputs(inputs), options));
    });

  storeConnection(caused(auditLog(selection(program.command('report')))))
    .description(
      'write one self-contained HTML file, or Markdown for a ticket, about a record or a selection, with all causes',
    )
    .requiredOption('-o, --out <file>', 'file to write')
    .option('--id <id>', 'id of a record: the report shows its causes and what it caused', someText)
    .option('--title <text>', 'title of the report')
    .option('--markdown', 'write Markdown')
    .option('--limit <n>', 'maximum number of records (default: 50000, or 200 in Markdown)', count)
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { report } = await import('./report.ts');
      const [id, paths] = splitId(options.id, inputs);
      const words = commandLine(process.argv.slice(2));
      const opening = await openingOf(paths, options, {
        ...options,
        id,
        effects: true,
        causes: true,
      });
      const answer = (journals: Journals) => report(journals, id, { ...options, selection: words });
      done(await reading(opening, answer, concluding(options, LINKS)));
    });

  storeConnection(auditLog(program.command('serve')))
    .description('show records in a browser, with search, chains, and what is missing')
    .option('--listen <address:port>', 'where to listen; port 0: any free one', '127.0.0.1:7474')
    .option('--allow-remote', 'allow an address that other machines can reach')
    .option('--title <text>', 'title of the page')
    .option(
      '--since <time>',
      'in a store: from this time on, if a question names none (default: "24h")',
    )
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { serve } = await import('./serve.ts');
      done(await serve(inputs, options));
    });

  program
    .command('export')
    .description('write all records as Parquet, partitioned by day and node')
    .requiredOption('--parquet <dir>', 'folder to write to; it must be empty or not exist')
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, { parquet }) => {
      const { exportParquet } = await import('./export.ts');
      done(await reading(await filesOf(inputs), (journals) => exportParquet(journals, parquet)));
    });

  storeConnection(form(program.command('audit')))
    .description(
      'check ids, links, order, numbers, losses, fields and checkpoints; exit code 1 means that there are findings',
    )
    .option('--since <time>', 'in a store: from this time on')
    .option(
      '--node <name>',
      'in a store: apply every rule to this node, and not a few to all nodes',
    )
    .option('--limit <n>', 'maximum number of findings of one kind in text output', count, 20)
    .option('--config <file>', "the configuration of vCML's auditor, in YAML")
    .option('--witness <input>', `compare journals with what left the nodes: ${WITNESS}`, append)
    .argument('[inputs...]', INPUTS)
    .action(async (inputs, options) => {
      const { audit } = await import('./audit.ts');
      if (isStoreAlone(inputs, options)) {
        const { storeAudit } = await import('../store/audit/command.ts');
        return done(await storeAudit(inputs[0], options));
      }
      // First, because what is written meanwhile must not be ahead of the journal.
      const witness = await witnessOf(inputs, options);
      const answer = (journals: Journals) => audit(journals, options, witness);
      done(await reading(await filesOf(inputs, true), answer));
    });

  storeConnection(execSelection(program.command('prove')))
    .description(
      'write a proof that a record, or exactly the execs of a selection, are in a journal with checkpoints',
    )
    .requiredOption('-o, --out <file>', 'file to write')
    .option('--id <id>', 'id of a record, or the beginning of it', someText)
    .option(
      '--witness <input>',
      `lead to the newest checkpoint that these have: ${WITNESS}`,
      append,
    )
    .argument(
      '[inputs...]',
      '[ID] and the folder of a journal; without a folder, the journal of this node',
    )
    .action(async (inputs, options) => {
      const { prove } = await import('./prove.ts');
      const [id, paths] = splitId(options.id, inputs);
      done(await prove(paths, id, options, await witnessOf(paths, options)));
    });

  storeConnection(program.command('verify'))
    .description(
      'check a proof without the journal; without --witness or --key, anybody may have made it; exit code 1 means that it does not hold',
    )
    .option('--witness <input>', `require that these have its checkpoint: ${WITNESS}`, append)
    .option('--key <key>', 'verifier key of the node, NAME+HASH+KEY, or a file that has it')
    .argument('<file>', 'file that vcml prove wrote')
    .action(async (file, options) => {
      const { verify } = await import('./verify.ts');
      done(await verify(file, options, await witnessOf([file], options)));
    });

  storeConnection(program.command('store'))
    .description(
      'create or upgrade a store in ClickHouse (init), or print the statements that make one (ddl)',
    )
    .addArgument(new Argument('<what>', 'what to do').choices(['init', 'ddl']))
    .argument('[address]', 'clickhouse://USER@HOST:PORT/DATABASE; the port is that of HTTP')
    .option('--cluster <name>', 'spread the nodes over the shards of this cluster of ClickHouse')
    .option('--replicated', 'each shard has replicas')
    .option('--keep-days <n>', 'how long records are kept (default: 30 in a new store)', count)
    .option('--delete-older', 'let --keep-days delete records that a store has')
    .action(async (what, address, options) => {
      const { store } = await import('./store.ts');
      done(await store(what, address, options));
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

/** Opens the inputs; a store is asked a question. */
async function openingOf(
  inputs: readonly string[],
  options: ConnectionOptions & Caused,
  question: Question,
): Promise<Opening> {
  const [first = ''] = inputs;
  refuseUnclear(options);
  if (inputs.length !== 1 || !isStore(first)) return await filesOf(inputs);
  const { askStore } = await import('../store/answer/ask-store.ts');
  return askStore(first, options, question);
}

/** Reads what left the nodes; undefined: nobody asked for it. */
async function witnessOf(
  inputs: readonly string[],
  options: ConnectionOptions & { readonly witness?: readonly string[] },
): Promise<Witness | undefined> {
  if (options.witness === undefined) return undefined;
  const { readWitness } = await import('../audit/checkpoints/read-witness.ts');
  return readWitness(options.witness, namedInputs(inputs), options);
}

/** Whether the input is a store; refuses options that are for a store alone. */
function isStoreAlone(
  inputs: readonly string[],
  { since, until, node }: Times,
): inputs is readonly [string] {
  const [first = ''] = inputs;
  if (inputs.length === 1 && isStore(first)) return true;
  if ((since ?? until ?? node) !== undefined)
    throw new ForensicsError(
      'usage',
      '--since, --until and --node of this command are for a store',
    );
  return false;
}

/** Adds the options that limit what is read from a store. */
function ofStore(command: Command): Command {
  return storeConnection(command)
    .option('--since <time>', 'in a store: from this time on')
    .option('--until <time>', 'in a store: before this time')
    .option('--node <name>', 'in a store: of this node');
}

/** Refuses to follow objects, which do not grow. */
function refuseArchive(inputs: readonly string[]): void {
  const archive = inputs.find(isArchive);
  if (archive !== undefined)
    throw new ForensicsError('usage', `${archive}: objects do not grow: ask with vcml query`);
}
