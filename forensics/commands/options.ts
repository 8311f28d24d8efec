import { type Command, InvalidArgumentError, Option } from 'commander';
import { ENTRIES } from '../../record/fields/exec.ts';
import { isTraceId } from '../../record/trace-ids.ts';
import { ForensicsError } from '../errors.ts';
import { FORMS } from '../output/form.ts';
import type { Caused } from '../select/caused.ts';

/** Adds the option for the form of the output. */
export function form(command: Command, ...more: readonly string[]): Command {
  const forms = [...FORMS, ...more];
  const option = new Option('--output <form>', 'form of the output').choices(forms);
  return command.addOption(option.default('text'));
}

/** Reads a text that selects: every id begins with an empty one, and nobody has an empty name. */
export function someText(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('Must not be empty.');
}

/** Adds the option for the audit log of the API server. */
export function auditLog(command: Command): Command {
  return command.option(
    '--audit-log <file>',
    'audit log of the API server, to name the users of the pods/exec requests behind execs, or who may be; ' +
      'a file, or clickhouse://USER@HOST:PORT/DATABASE?table=NAME with the options of a store',
  );
}

/** Adds the option that selects what a user of the API server caused, for which auditLog() is needed. */
function kubernetesUser(command: Command): Command {
  return command.option(
    '--kubernetes-user <name>',
    'what the exec sessions of this user caused, as far as --audit-log confirms them by their ids',
    someText,
  );
}

/** Adds the options that select what some records caused: the sessions of a user, or the execs of a trace. */
export function caused(command: Command): Command {
  return kubernetesUser(command).option(
    '--trace <id>',
    'what carries the trace with this id, and what that caused, if `traceContext` is `environment`',
    traceId,
  );
}

function traceId(text: string): string {
  const id = text.toLowerCase();
  if (isTraceId(id)) return id;
  throw new InvalidArgumentError('Must be 32 hexadecimal digits that are not all zero.');
}

/** Throws an error of usage if it cannot be said what is asked for, or what that caused. */
export function refuseUnclear({ kubernetesUser, trace, auditLog, sql }: Caused & Sql): void {
  if (trace !== undefined && sql !== undefined)
    throw new ForensicsError(
      'usage',
      '--trace cannot be combined with --sql: query without --sql, and count the lines of --output csv',
    );
  if (kubernetesUser === undefined) return;
  if (trace !== undefined)
    throw new ForensicsError('usage', '--trace cannot be combined with --kubernetes-user');
  if (auditLog === undefined)
    throw new ForensicsError(
      'usage',
      '--kubernetes-user needs the audit log of the API server, because records do not have the names of its users: add --audit-log FILE',
    );
  if (sql !== undefined)
    throw new ForensicsError(
      'usage',
      '--kubernetes-user cannot be combined with --sql: query without --sql, and count the lines of --output csv',
    );
}

interface Sql {
  readonly sql?: string;
}

/** Adds the options that select records. */
export function selection(command: Command): Command {
  return execSelection(command).option('--action <name>', 'exec, journal.loss, …');
}

/** Adds the options that select execs. */
export function execSelection(command: Command): Command {
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
    .option(
      '--exe <path>',
      'path or name of the executable, or what the caller named: a script, a command of busybox',
    )
    .option('--arg <word>', 'one of the arguments')
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

/** Collects the values of an option that may be repeated. */
export function append(value: string, before: readonly string[] = []): string[] {
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
