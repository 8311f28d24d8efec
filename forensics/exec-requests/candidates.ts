import { KEYS } from '../../record/fields.ts';
import { textOf } from '../../record/kernel-text.ts';
import type { StoredRecord } from '../../record/read.ts';
import { commandLine, visible } from '../../record/visible.ts';
import type { ExecRequest } from './exec-request.ts';

/** A request may arrive this long before its exec, and the clocks may differ by this much. */
const BEFORE_NS = 60_000_000_000n;
const AFTER_NS = 2_000_000_000n;

/**
 * Finds who may have caused a record that entered a container. It returns a sentence with the
 * evidence for each request to the record's pod around that time, the best first. These are
 * candidates and not proof.
 */
export function candidatesOf(record: StoredRecord, requests: readonly ExecRequest[]): string[] {
  if (record.attributes[KEYS.entry] !== 'exec' || record.timestamp === undefined) return [];
  const { resource, attributes, timestamp } = record;
  const args = attributes[KEYS.args];
  const ran = Array.isArray(args) ? args.map(String) : [];
  return requests
    .filter(
      ({ namespace, pod, received }) =>
        pod === resource[KEYS.podName] &&
        namespace === resource[KEYS.namespace] &&
        received <= timestamp + AFTER_NS &&
        received >= timestamp - BEFORE_NS,
    )
    .map((request) => {
      const sameContainer = request.container === resource[KEYS.podContainerName];
      const sameCommand = isSame(request.command, ran);
      const apart = timestamp - request.received;
      return { request, sameContainer, sameCommand, apart };
    })
    .filter(({ request, sameContainer }) => request.container === undefined || sameContainer)
    .sort((a, b) => Number(b.sameCommand) - Number(a.sameCommand) || Number(a.apart - b.apart))
    .map(({ request, sameContainer, sameCommand, apart }) => {
      const speaks = [
        'same pod',
        ...(sameContainer ? ['same container'] : []),
        aboutCommand(request.command, sameCommand),
        `received ${Number(apart / 1_000_000n)} ms before`,
      ];
      const from = request.from === '' ? '' : ` from ${request.from}`;
      return visible(`candidate: pods/exec by ${request.user}${from} (${speaks.join(', ')})`);
    });
}

/** Records have backslashes and bytes that are not UTF-8 escaped; requests have them as they are. */
function isSame(command: ExecRequest['command'], ran: readonly string[]): boolean {
  if (command === undefined) return false;
  if (typeof command === 'string') return recorded(command) === ran.join(' ');
  return command.length === ran.length && command.every((word, n) => recorded(word) === ran[n]);
}

function recorded(text: string): string {
  const bytes = Buffer.from(text);
  return textOf(bytes, 0, bytes.length);
}

function aboutCommand(command: ExecRequest['command'], isSame: boolean): string {
  if (isSame) return 'same command';
  if (command === undefined) return 'the log does not have the command';
  return `other command: ${typeof command === 'string' ? command : commandLine(command)}`;
}
