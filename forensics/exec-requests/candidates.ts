import { KEYS } from '../../record/fields.ts';
import type { StoredRecord } from '../../record/read.ts';
import { commandLine, visible } from '../../record/visible.ts';
import { type Comparison, compareCommand, type Ran } from './comparison.ts';
import type { ExecRequest } from './exec-request.ts';
import { windowOf } from './windows.ts';

/**
 * Finds who may have caused a record that entered a container. It returns a sentence with the
 * evidence for each request to the record's pod around that time, the best first. These are
 * candidates and not proof. A request for another container comes last and is not left out, because
 * another program than the API server reads here which one that is.
 */
export function candidatesOf(record: StoredRecord, requests: readonly ExecRequest[]): string[] {
  const { resource, timestamp } = record;
  const window = windowOf(record);
  if (window === undefined || timestamp === undefined) return [];
  const ran = commandOf(record);
  return requests
    .filter(
      ({ namespace, pod, received }) =>
        pod === resource[KEYS.podName] &&
        namespace === resource[KEYS.namespace] &&
        received <= window.last &&
        received >= window.first,
    )
    .map((request) => {
      const container = aboutContainer(request, resource[KEYS.podContainerName]);
      const comparison = compareCommand(request, ran);
      const apart = timestamp - request.received;
      return { request, container, comparison, apart };
    })
    .sort(
      (a, b) =>
        Number(a.container.isOther) - Number(b.container.isOther) ||
        Number(b.comparison.isSame) - Number(a.comparison.isSame) ||
        Number(a.apart - b.apart),
    )
    .map(({ request, container, comparison, apart }) => {
      const speaks = [
        'same pod',
        ...container.speaks,
        aboutCommand(comparison, ran),
        `received ${Number(apart / 1_000_000n)} ms before`,
      ];
      const from = request.from === '' ? '' : ` from ${request.from}`;
      return visible(`candidate: pods/exec by ${request.user}${from} (${speaks.join(', ')})`);
    });
}

function commandOf({ attributes }: StoredRecord): Ran {
  const args = attributes[KEYS.args];
  const executable = attributes[KEYS.executable];
  return {
    args: Array.isArray(args) ? args.map(String) : [],
    // Without arguments nothing was recorded, because a command has at least its own name.
    isCut: attributes[KEYS.argsTruncated] === true || !Array.isArray(args),
    executable: typeof executable === 'string' ? executable : undefined,
  };
}

/** Compares containers; it says nothing if the request does not name one, or if that of the record is unknown. */
function aboutContainer(
  { container }: ExecRequest,
  recorded: unknown,
): { readonly isOther: boolean; readonly speaks: readonly string[] } {
  if (container === undefined || recorded === undefined) return { isOther: false, speaks: [] };
  if (container === recorded) return { isOther: false, speaks: ['same container'] };
  return { isOther: true, speaks: [`other container: ${commandLine([container])}`] };
}

function aboutCommand({ isSame, isRedacted, command }: Comparison, { args, isCut }: Ran): string {
  if (command === undefined) return 'the log does not have the command';
  const requested = typeof command === 'string' ? command : commandLine(command);
  if (isCut && args.length === 0) return `the record has no arguments; requested: ${requested}`;
  if (!isSame) return `other command: ${requested}`;
  const redacted = isRedacted ? ' but for redacted parts' : '';
  return `same command${redacted}${isCut ? ' as far as it was recorded' : ''}`;
}
