/** Records in words, for people. Everything that came from a journal is made visible here. */

import type { Stored } from '../record.ts';
import { paint, width } from './stdout.ts';
import { commandLine, visible } from './visible.ts';

/** Enough of an id to name it in one journal. */
const ID_SHOWN = 8;
const COMMAND_MAX = 2000;

/** When, who, what, where, which: the first line about a record. */
export function headOf(record: Stored): string {
  const { comm = '?', pid = '?' } = record;
  const parts = [paint('dim', timeOf(record.timestamp))];
  if (record.action === 'exec')
    parts.push(userOf(record), paint('bold', visible(`${comm}[${pid}]`)));
  else parts.push(paint('bold', visible(record.action)));
  parts.push(placeOf(record), paint('dim', shortId(record.id)));
  return parts.filter((part) => part !== '').join('  ');
}

/** The command of an exec, or what a record about the journal says; wrapped and indented. */
export function bodyOf(record: Stored, indent: string): string {
  return wrapped(record.action === 'exec' ? commandOf(record) : journalText(record), indent);
}

/** Unix nanoseconds as UTC with milliseconds. */
export function timeOf(nanoseconds: bigint | undefined): string {
  if (nanoseconds === undefined) return '(no time)';
  const at = new Date(Number(nanoseconds / 1_000_000n));
  return Number.isNaN(at.getTime()) ? `${nanoseconds} ns` : at.toISOString();
}

/** The beginning of an id. */
export function shortId(id: string): string {
  return visible(id.slice(0, ID_SHOWN));
}

/** The user by number: names are the node's own. */
export function userOf({ uid, attributes }: Stored): string {
  const login = attributes['vcml.process.login_uid'];
  const name = uid === 0 ? 'root' : `uid ${uid ?? '?'}`;
  return login === undefined || login === uid ? name : `${name} (login ${visible(`${login}`)})`;
}

/** node, namespace/pod/container */
export function placeOf({ resource }: Stored): string {
  const node = resource['k8s.node.name'] ?? resource['host.name'];
  const container = resource['k8s.container.name'] ?? resource['container.id'];
  const pod = [resource['k8s.namespace.name'], resource['k8s.pod.name'], container];
  const inside = pod.filter((part) => part !== undefined).join('/');
  return visible([node, inside].filter((part) => part !== undefined && part !== '').join('  '));
}

/** The arguments, led by the object where they do not say what was executed. */
export function commandOf({ object, attributes }: Stored): string {
  const given = attributes['process.command_args'];
  const args = Array.isArray(given) ? given.map(String) : [];
  const named = args.length > 0 && args.some((arg) => lastPart(arg) === lastPart(object));
  const words = commandLine(args);
  const all = named ? words : `${commandLine([object])}${args.length > 0 ? ` as ${words}` : ''}`;
  const cut = all.length > COMMAND_MAX || attributes['vcml.process.args_truncated'] === true;
  return `${all.slice(0, COMMAND_MAX)}${cut ? ' …' : ''}${flagsOf(attributes)}`;
}

function flagsOf(attributes: Stored['attributes']): string {
  const flags = ['memfd', 'upper_layer', 'setuid', 'unlinked'].filter(
    (flag) => attributes[`vcml.executable.${flag}`] === true,
  );
  const entry = attributes['vcml.entry'];
  if (entry !== undefined) flags.push(`entry: ${visible(String(entry))}`);
  return flags.length === 0 ? '' : `  [${flags.join(', ')}]`;
}

/** Why a record has no cause; undefined where it has one. */
export function gapOf({ parentCause, permittedBy, attributes }: Stored): string | undefined {
  if (parentCause !== undefined) return undefined;
  const reason = attributes['vcml.gap.reason'];
  if (reason === undefined) return visible(permittedBy);
  const of = (name: string) => attributes[`vcml.gap.${name}`];
  if (reason === 'lost') return `lost: the record ${visible(`${of('lost_cause')}`)} was lost`;
  if (reason !== 'predates_hook') return visible(String(reason));
  const ancestor = `${of('ancestor.comm') ?? '?'}[${of('ancestor.pid') ?? '?'}]`;
  const path = of('ancestor.executable.path');
  const began = of('ancestor.start_time');
  return visible(
    `predates_hook: ${ancestor}${path === undefined ? '' : ` (${path})`}` +
      `${began === undefined ? '' : `, began ${began}`}, before the hook`,
  );
}

function journalText({ action, attributes }: Stored): string {
  const of = (name: string) => attributes[`vcml.${name}`];
  if (action === 'journal.loss') {
    const count = of('loss.count');
    const cpu = of('loss.cpu');
    const run =
      cpu === undefined ? '' : `, cpu ${cpu}: ${of('loss.first_seq')} to ${of('loss.last_seq')}`;
    return visible(`lost ${count ?? 'an unknown number of'} records (${of('loss.stage')})${run}`);
  }
  const counts = ['records', 'gaps', 'losses']
    .map((noun) => [noun, of(`journal.${noun}`)])
    .filter(([, count]) => count !== undefined)
    .map(([noun, count]) => `, ${count} ${noun}`);
  return visible(`hook ${of('hook.state') ?? '?'}${counts.join('')}`);
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
}

/** Breaks at spaces to fit the terminal, or anywhere in what has none. */
export function wrapped(text: string, indent: string): string {
  const room = Math.max(20, width() - indent.length);
  const lines: string[] = [];
  let rest = text;
  while (rest.length > room) {
    const space = rest.lastIndexOf(' ', room);
    const surrogate = /[\ud800-\udbff]/.test(rest[room - 1] ?? '') ? room - 1 : room;
    const end = space > room / 2 ? space : surrogate;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).replace(/^ /, '');
  }
  lines.push(rest);
  return lines.map((line) => `${indent}${line}\n`).join('');
}
