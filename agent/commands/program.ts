import { Command, Option } from 'commander';
import { type Kept, loadConfig } from '../config/load.ts';
import { OPTIONS } from '../config/options.ts';
import type { Config } from '../config/schema.ts';
import { RECORD_OPTIONS } from '../run/run-options.ts';
import { VERSION } from '../version.ts';
import { COMMAND_HELP, MAIN_HELP } from './help.ts';

const JOURNAL = ['journalDir'];
const ALL = OPTIONS.map(({ key }) => key);
/** The options that matter to a run that only drains and stops. */
const DRAINING = [...JOURNAL, 'pinDir', 'mountBpffs', 'waitForHook', ...RECORD_OPTIONS];

type Flags = Readonly<Record<string, unknown>>;

/** Makes the command line. `done` receives the exit code of the command, and `stop` stops a run. */
export function createProgram(done: (exitCode: number) => void, stop: AbortSignal): Command {
  const program = new Command('vcml-agent')
    .description('Causal memory for Kubernetes nodes: records who ran what, and because of what.')
    .version(VERSION)
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error:/, 'vcml-agent:')),
    })
    .addHelpText('after', MAIN_HELP)
    .exitOverride();

  configured(program.command('run'), ALL)
    .description('attach or resume the hook, and record until SIGTERM or SIGINT')
    .addHelpText('after', COMMAND_HELP.run)
    .action(async (flags) => {
      const { run } = await import('../run/run.ts');
      done(await run(await configOf(flags), stop));
    });

  configured(program.command('detach'), DRAINING)
    .description('write unread records to the journal, then remove programs, maps and pins')
    .addHelpText('after', COMMAND_HELP.detach)
    .option('--discard', 'remove programs, maps and pins at once, and discard unread records')
    .action(async ({ discard = false, ...flags }) => {
      const { detach } = await import('./detach.ts');
      done(await detach((kept) => load(flags, kept), { discard }));
    });

  configured(program.command('status'), [...JOURNAL, 'pinDir'])
    .description('show what is attached, what was recorded and what was lost, or check this node')
    .addHelpText('after', COMMAND_HELP.status)
    .option('--check', 'check what the agent needs on this node, and name what to do')
    .addOption(
      choice('--output <format>', 'text for people, json for programs', ['text', 'json'], 'text'),
    )
    .action(async ({ check = false, output, ...flags }) => {
      const config = await configOf(flags);
      if (check) {
        const { checkNode } = await import('./check/check.ts');
        done(await checkNode(config, process.env, { output }));
      } else {
        const { status } = await import('./status.ts');
        done(status(config, { output }));
      }
    });

  printing(configured(program.command('cat'), JOURNAL))
    .description('print the records of the journal')
    .addHelpText('after', COMMAND_HELP.cat)
    .option(
      '--since <time>',
      'start at a time, such as 2026-01-31 (UTC) or 2026-01-31T12:00:00Z, or at an age: 90s, 15m, 2h, 3d',
    )
    .option('--until <time>', 'end before a time')
    .option(
      '--pod <name>',
      'print the records of a pod, NAME or NAMESPACE/NAME, and those of the journal',
    )
    .addOption(
      new Option('--id <id>', 'print a record, its causes and what it caused').conflicts([
        'since',
        'until',
        'pod',
      ]),
    )
    .addOption(
      new Option(
        '--neighbors',
        'then print the records around the time that tell whether any is missing in it',
      ).conflicts(['pod', 'id']),
    )
    .option('--zstd', 'compress the output with zstd')
    .action(async ({ since, until, pod, id, neighbors, print, zstd, ...flags }) => {
      const { cat } = await import('./cat.ts');
      const options = { since, until, pod, id, neighbors, print, zstd };
      done(await cat(await configOf(flags), options));
    });

  printing(configured(program.command('tail'), JOURNAL))
    .description('print new records of the journal as they are written')
    .addHelpText('after', COMMAND_HELP.tail)
    .action(async ({ print, ...flags }) => {
      const { tail } = await import('./tail.ts');
      done(await tail(await configOf(flags), { print }));
    });

  const config = program.command('config').description('show or check the configuration in effect');
  configured(config.command('print'), ALL)
    .description('print each value, and where it came from')
    .action(async (flags) => {
      const { printConfig } = await import('./config.ts');
      done(printConfig(await load(flags)));
    });
  configured(config.command('check'), ALL)
    .description(
      'list every problem with which run would refuse to start here, and what is doubtful',
    )
    .addHelpText('after', COMMAND_HELP.configCheck)
    .action(async (flags) => {
      const { checkConfig } = await import('./config.ts');
      done(await checkConfig(await configOf(flags)));
    });
  return program;
}

function configured(command: Command, keys: readonly string[]): Command {
  for (const { key, flag, description, values, default: text } of OPTIONS) {
    if (!keys.includes(key)) continue;
    const about = `${description} Accepts ${values}; default: ${text}.`;
    command.addOption(new Option(`${flag} <value>`, about));
  }
  return command.option('--config <file>', 'YAML file with options');
}

function printing(command: Command): Command {
  return command.addOption(
    choice(
      '--print <form>',
      'text for people, jsonl as in the journal; default: text on a terminal, else jsonl',
      ['text', 'jsonl'],
    ),
  );
}

function choice(flags: string, description: string, words: string[], otherwise?: string): Option {
  const option = new Option(flags, description).choices(words);
  return otherwise === undefined ? option : option.default(otherwise);
}

function load({ config, ...flags }: Flags, kept?: Kept) {
  const file = typeof config === 'string' ? config : undefined;
  return loadConfig({ flags, env: process.env, file, kept });
}

async function configOf(flags: Flags): Promise<Config> {
  return (await load(flags)).config;
}
