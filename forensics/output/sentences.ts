/** Writes a chain in sentences, for people who do not know records. */

import { ancestorInWords, commandInWords, placeNames } from '../../record/describe.ts';
import { ownerKey } from '../../record/fields/resource.ts';
import { KEYS } from '../../record/fields.ts';
import type { StoredRecord } from '../../record/read.ts';
import { rfc3339Of } from '../../record/time.ts';
import { visible } from '../../record/visible.ts';
import { OWNERS } from '../place-columns.ts';
import { ownRemarks } from './authority.ts';
import { contentOf, gapOf, userOf } from './text.ts';

const COMMAND_MAX = 200;

/**
 * Writes a record and its causes, the nearest first, one sentence each; the last one says why the
 * chain ends. `remarksOf` gives what else there is to say about a record, such as what permitted it.
 */
export function sentencesOf(
  chain: readonly StoredRecord[],
  remarksOf: (record: StoredRecord) => readonly string[] = ownRemarks,
): string[] {
  const last = chain.at(-1);
  return [
    ...chain.flatMap((record, depth) => [
      sentenceOf(record, chain[depth - 1]),
      ...remarksOf(record).map(remarkSentence),
    ]),
    ...(last === undefined ? [] : [endSentence(last, isCircle(last, chain))]),
  ];
}

function remarkSentence(remark: string): string {
  if (remark.startsWith('candidate')) return `A ${remark}.`;
  return `${remark.slice(0, 1).toUpperCase()}${remark.slice(1)}.`;
}

/** Whether the cause of a chain's last record is in the chain. */
export function isCircle({ parentCause }: StoredRecord, chain: readonly StoredRecord[]): boolean {
  return chain.some(({ id }) => id === parentCause);
}

/** Returns what a record says, and how it follows from the record after it in the chain. */
function sentenceOf(record: StoredRecord, effect: StoredRecord | undefined): string {
  if (record.action !== 'exec')
    return `${timeOf(record)}, ${whatOf(record)} was recorded ${whereOf(record)}.`;
  const entry = entryOf(record);
  if (effect === undefined)
    return `${timeOf(record)}, ${whatOf(record)} ran ${whereOf(record)} as ${userOf(record)}.${entry}`;
  const time = timeOf(record).replace(/^At/, 'at');
  const changes = [
    ...(whereOf(record) === whereOf(effect) ? [] : [whereOf(record)]),
    ...(userOf(record) === userOf(effect) ? [] : [`as ${userOf(record)}`]),
  ];
  const details = [time, ...changes].join(' ');
  if (isSameProcess(record, effect))
    return `Before that, the same process ran ${whatOf(record)} ${details}.${entry}`;
  return `It was started by ${whatOf(record)}, which ran ${details}.${entry}`;
}

/** Says why a chain ends with this record. */
export function endSentence(last: StoredRecord, isCircle: boolean): string {
  if (isCircle)
    return 'The links run in a circle from here: the memory is wrong (see `vcml audit`).';
  if (last.parentCause !== undefined)
    return `The record of what caused this, ${visible(last.parentCause)}, is in none of these files as one of this node.`;
  if (last.permittedBy.startsWith('root_event:'))
    return `The chain begins here, with a root event: ${visible(last.permittedBy)}.`;
  const attribute = (key: string) => last.attributes[key];
  switch (attribute(KEYS.gapReason)) {
    case 'predates_hook': {
      const ancestor = ancestorInWords(attribute);
      const path = attribute(KEYS.gapAncestorExecutable);
      const where = typeof path === 'string' ? ` (${visible(path)})` : '';
      const name = ancestor === undefined ? 'a process' : `\`${ancestor}\`${where},`;
      return `The memory ends at ${name} ${ancestor === undefined ? 'that' : 'which'} was there before the recording.`;
    }
    case 'lost':
      return 'The memory ends here, because the record of what caused this was lost.';
    case 'untracked':
      return 'The memory ends here, because it is not known what caused this.';
    default:
      return `The memory ends here: ${gapOf(last)}.`;
  }
}

/** Returns where a record is from: the pod, its owner, the container and the node, or the host. */
export function whereOf({ resource }: StoredRecord): string {
  const { node = 'an unknown node', namespace, pod, container } = placeNames(resource);
  if (pod === undefined && container === undefined) return `on the host ${node}`;
  const owner = ownerOf(resource);
  const inPod = [
    `in pod ${[namespace, pod].filter((name) => name !== undefined).join('/')}`,
    owner === undefined ? '' : ` of ${owner}`,
    container === undefined ? '' : `, container ${container}`,
  ].join('');
  return `${pod === undefined ? `in container ${container}` : inPod}, on node ${node}`;
}

function ownerOf(resource: StoredRecord['resource']): string | undefined {
  const kind = OWNERS.find((kind) => typeof resource[ownerKey(kind, 'name')] === 'string');
  return kind && visible(`${kind}/${resource[ownerKey(kind, 'name')]}`);
}

function whatOf(record: StoredRecord): string {
  const { action, object, attributes } = record;
  if (action === 'exec')
    return `\`${commandInWords(object, (key) => attributes[key], COMMAND_MAX)}\``;
  return `${visible(action)} (${contentOf(record)})`;
}

function entryOf({ attributes }: StoredRecord): string {
  const { [KEYS.entry]: entry, [KEYS.unit]: unit } = attributes;
  if (typeof unit === 'string') return entryOfUnit(entry, visible(unit));
  switch (entry) {
    case 'start':
      return ' It is what the container was started with.';
    case 'exec':
      return ' It was put into the running container from outside, as `kubectl exec` and probes do.';
    default:
      return '';
  }
}

function entryOfUnit(entry: unknown, unit: string): string {
  switch (entry) {
    case 'start':
      return ` It is what the unit ${unit} was started with.`;
    case 'exec':
      return ` It entered the unit ${unit}, which was there before.`;
    case 'session':
      return ` It entered the login session ${unit}.`;
    default:
      return '';
  }
}

/** A pid can be used again, and then the process began at another time. */
function isSameProcess(a: StoredRecord, b: StoredRecord): boolean {
  const created = a.attributes[KEYS.created];
  return a.pid === b.pid && created !== undefined && created === b.attributes[KEYS.created];
}

function timeOf({ timestamp }: StoredRecord): string {
  const time = timestamp === undefined ? undefined : rfc3339Of(timestamp);
  return time === undefined
    ? 'At an unknown time'
    : `At ${time.slice(0, 19).replace('T', ' ')} UTC`;
}
