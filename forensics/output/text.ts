/** Lays out records for a terminal; the wording comes from record/describe.ts. */

import {
  checkpointInWords,
  commandInWords,
  containerPlace,
  flagsInWords,
  gapInFull,
  lossInWords,
  placeNames,
  runInWords,
  withheldInWords,
} from '../../record/describe.ts';
import { KEYS } from '../../record/fields.ts';
import type { StoredRecord } from '../../record/read.ts';
import { rfc3339Of } from '../../record/time.ts';
import { visible } from '../../record/visible.ts';
import { paint, width } from './stdout.ts';

/** Enough characters of an id to identify it in one journal. */
const ID_SHOWN = 8;
const COMMAND_MAX = 2000;

/** The first line about a record: when, who, what, where, which; `style` colours its parts. */
export function headOf(record: StoredRecord, style: typeof paint = paint): string {
  const { comm = '?', pid = '?' } = record;
  const parts = [style('dim', timeOf(record.timestamp))];
  if (record.action === 'exec')
    parts.push(userOf(record), style('bold', visible(`${comm}[${pid}]`)));
  else parts.push(style('bold', visible(record.action)));
  parts.push(placeOf(record), style('dim', shortId(record.id)));
  return parts.filter((part) => part !== '').join('  ');
}

/** The content of a record, wrapped and indented. */
export function bodyOf(record: StoredRecord, indent: string): string {
  return wrapped(contentOf(record), indent);
}

/** The command of an exec, what a record about the journal says, or the object of another one. */
export function contentOf(record: StoredRecord): string {
  if (record.action === 'exec') return commandOf(record);
  return record.action.startsWith('journal.') ? journalText(record) : visible(record.object);
}

/** Unix nanoseconds as a time in UTC with milliseconds. */
export function timeOf(nanoseconds: bigint | undefined): string {
  if (nanoseconds === undefined) return '(no time)';
  return rfc3339Of(nanoseconds)?.replace(/\d{6}Z$/, 'Z') ?? `${nanoseconds} ns`;
}

/** The beginning of an id. */
export function shortId(id: string): string {
  return visible(id.slice(0, ID_SHOWN));
}

/** The user by number, because a name is valid only on its node. */
export function userOf({ uid, attributes }: StoredRecord): string {
  const login = attributes[KEYS.loginUid];
  const name = uid === 0 ? 'root' : `uid ${uid ?? '?'}`;
  return login === undefined || login === uid ? name : `${name} (login ${visible(`${login}`)})`;
}

/** node, namespace/pod/container */
export function placeOf({ resource }: StoredRecord): string {
  const names = placeNames(resource);
  return [names.node ?? '', containerPlace(names)].filter((part) => part !== '').join('  ');
}

/** The command of an exec, followed in brackets by what stands out about it. */
export function commandOf({ object, attributes }: StoredRecord): string {
  const attribute = (key: string) => attributes[key];
  const flags = flagsInWords(attribute);
  const command = commandInWords(object, attribute, COMMAND_MAX);
  return flags.length === 0 ? command : `${command}  [${flags.join(', ')}]`;
}

/** Why a record has no cause; undefined: it has one. */
export function gapOf({ parentCause, permittedBy, attributes }: StoredRecord): string | undefined {
  if (parentCause !== undefined) return undefined;
  if (attributes[KEYS.gapReason] === undefined) return visible(permittedBy);
  return gapInFull((key) => attributes[key]);
}

function journalText({ action, attributes }: StoredRecord): string {
  const attribute = (key: string) => attributes[key];
  if (action === 'journal.withheld') return withheldInWords(attribute);
  if (action === 'journal.checkpoint') return checkpointInWords(attribute);
  if (action !== 'journal.loss') return runInWords(attribute);
  const { records, stage, cpu, numbers } = lossInWords(attribute);
  return `lost ${records} (${stage})${cpu === undefined ? '' : `, cpu ${cpu}: ${numbers}`}`;
}

/** Wraps a text to the terminal's width, at spaces unless a word is longer than a line. */
export function wrapped(text: string, indent: string): string {
  const room = Math.max(20, width() - indent.length);
  const lines: string[] = [];
  let rest = text;
  while (rest.length > room) {
    const space = rest.lastIndexOf(' ', room);
    const surrogate = /[\ud800-\udbff]/.test(rest[room - 1] ?? '') ? room - 1 : room;
    const behind = rest.indexOf(' ', room);
    const fits = (behind < 0 ? rest.length : behind) - space <= room;
    const end = space > room / 2 || (space > 0 && fits) ? space : surrogate;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).replace(/^ /, '');
  }
  lines.push(rest);
  return lines.map((line) => `${indent}${line}\n`).join('');
}
