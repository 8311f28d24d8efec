import type { Command, Option } from 'commander';
import { flush, print } from '../output/stdout.ts';

/** Prints the completion of a program's commands and options for a shell. */
export async function completion(program: Command, shell: string): Promise<number> {
  const commands = program.commands.map(wordsOf);
  if (shell === 'fish') await print(fishOf(commands));
  else await print(`${shell === 'zsh' ? ZSH : ''}${bashOf(commands)}`);
  await flush();
  return 0;
}

/** zsh runs completions of bash. */
const ZSH = 'autoload -U +X bashcompinit && bashcompinit\n';

/** What can follow a command; all of it is the program's own text without quotes. */
interface Words {
  readonly name: string;
  readonly about: string;
  readonly options: readonly Option[];
  /** what the first argument can be */
  readonly choices: readonly string[];
}

function wordsOf(command: Command): Words {
  const [first] = command.registeredArguments;
  return {
    name: command.name(),
    about: command.description(),
    options: command.options,
    choices: first?.argChoices ?? [],
  };
}

function bashOf(commands: readonly Words[]): string {
  const cases = commands.map(({ name, options, choices }) => {
    const words = options.flatMap(({ long }) => long ?? []);
    return `    ${name}) words='${[...choices, ...words].join(' ')}' ;;\n`;
  });
  const values = new Map(
    commands.flatMap(({ name, options }) =>
      options.flatMap(({ long, argChoices }) =>
        argChoices === undefined ? [] : [[`${name}/${long}`, argChoices.join(' ')] as const],
      ),
    ),
  );
  const valueCases = [...values].map(([key, words]) => `    ${key}) words='${words}' ;;\n`);
  return `_vcml() {
  local current=\${COMP_WORDS[COMP_CWORD]} words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${commands.map(({ name }) => name).join(' ')}'
  else
    case \${COMP_WORDS[1]} in
${cases.join('')}    esac
    case \${COMP_WORDS[1]}/\${COMP_WORDS[COMP_CWORD-1]} in
${valueCases.join('')}    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _vcml vcml
`;
}

function fishOf(commands: readonly Words[]): string {
  const lines = commands.flatMap(({ name, about, options, choices }) => {
    const at = `complete -c vcml -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c vcml -n __fish_use_subcommand -f -a ${name} -d ${quoted(about)}`,
      ...choices.map((choice) => `${at} -f -a ${choice}`),
      ...options.map(({ long = '', description, argChoices, required }) =>
        [
          `${at} -l ${long.slice(2)}`,
          ...(description === '' ? [] : [`-d ${quoted(description)}`]),
          ...(argChoices === undefined ? [] : [`-x -a '${argChoices.join(' ')}'`]),
          ...(required && argChoices === undefined ? ['-r'] : []),
        ].join(' '),
      ),
    ];
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** Quotes a text for fish. */
function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
