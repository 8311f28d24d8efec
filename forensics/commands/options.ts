import { type Command, InvalidArgumentError, Option } from 'commander';
import { ENTRIES } from '../../record/fields/exec.ts';
import { FORMS } from '../output/form.ts';

/** Adds the option for the form of the output. */
export function form(command: Command, ...more: readonly string[]): Command {
  const forms = [...FORMS, ...more];
  const option = new Option('--output <form>', 'form of the output').choices(forms);
  return command.addOption(option.default('text'));
}

/** Reads an id, or the beginning of one; every id begins with an empty one. */
export function someId(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('Must not be empty.');
}

/** Adds the option for the audit log of the API server. */
export function auditLog(command: Command): Command {
  return command.option(
    '--audit-log <file>',
    'audit log of the API server, to find the pods/exec requests that may be behind an exec; ' +
      'a file, or clickhouse://USER@HOST:PORT/DATABASE?table=NAME with the options of a store',
  );
}

/** Adds the options that select records. */
export function selection(command: Command): Command {
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
      new Option('--entry <kind>', 'how the exec entered its container or unit').choices([
        ...ENTRIES,
      ]),
    )
    .addOption(
      new Option('--gap [reason]', 'execs without a known cause, for this reason or any').choices([
        'predates_hook',
        'lost',
        'untracked',
      ]),
    )
    .option('--upper-layer', 'executables that were written in the running container')
    .option('--memfd', 'executables that existed in memory only')
    .option('--setuid', 'executables with the setuid bit');
}

function append(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Reads a number of an option. */
export function count(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Must be a whole number.');
}

/** Adds the options for the connection to a store. */
export function storeConnection(command: Command): Command {
  return command
    .option(
      '--store-password-file <file>',
      'file with the password of a store; without it, VCML_STORE_PASSWORD has it',
    )
    .option('--store-ca <file>', 'authority of the store’s server, in PEM')
    .option('--store-cert <file>', 'own certificate for a store, in PEM')
    .option('--store-key <file>', 'key of this certificate, in PEM');
}
