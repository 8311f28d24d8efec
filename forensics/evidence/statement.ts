import { counted } from '../../record/describe.ts';
import type { StoredRecord } from '../../record/read.ts';
import { rfc3339Of } from '../../record/time.ts';
import { keyName } from '../../record/tree/note.ts';
import { visible, word } from '../../record/visible.ts';
import { bodyOf, headOf } from '../output/text.ts';
import type { Proved, Range } from './check-proof.ts';
import type { Where } from './selected.ts';

/** Says what a proof proves, in lines; `isConfirmed`: somebody else than its maker vouches for its root. */
export function statementOf(
  { anchor, records, account, range }: Proved,
  isConfirmed: boolean,
): string {
  const node = visible(`${anchor.hostName ?? anchor.host} (${anchor.host})`);
  const what =
    range === undefined
      ? `this record is in the journal of ${node}:\n`
      : `${selectionInWords(range, records)} in the journal of ${node}:\n`;
  const shown = records.map((record) => `  ${headOf(record)}\n${bodyOf(record, '    ')}`).join('');
  const { epoch, size, root, timestamp } = anchor;
  const lines = [
    `id: ${records.map(({ id }) => visible(id)).join(' ')}`,
    `tree: ${visible(`${keyName(anchor.host)}/${epoch}`)}, size ${size}, root ${root.toString('base64')}`,
    `checkpoint: ${visible(anchor.id)} of ${timeText(timestamp)}`,
    ...(range === undefined ? [] : numbersInWords(range)),
    `losses: ${account.losses.map((loss) => visible(loss)).join('; ') || 'none'}${range === undefined ? ' among the lines of its chunk' : ''}`,
  ];
  const begin = isConfirmed ? 'proved' : 'consistent, but nobody confirms it';
  return `${begin}: ${what}${shown}${lines.map((line) => `${line}\n`).join('')}`;
}

function selectionInWords(range: Range, records: readonly StoredRecord[]): string {
  const { where, since, end, opening } = range;
  const from = since ?? opening?.timestamp;
  const begin = from === undefined ? 'the beginning of the epoch' : timeText(from);
  const options = optionsIn(where);
  const which = options === '' ? '' : ` with ${options}`;
  return `between ${begin} and ${timeText(end)}, exactly ${counted(records.length, 'exec')}${which}`;
}

function* numbersInWords(range: Range): Generator<string> {
  const { opening, closing, execs, endsWithAnchor } = range;
  const begin = opening === undefined ? 'the beginning of the epoch' : timeText(opening.timestamp);
  yield `numbers: of the ${counted(execs, 'exec')} between ${begin} and ${timeText(closing.timestamp)}, every number of every CPU is accounted for`;
  if (endsWithAnchor)
    yield 'end: no later block confirms the numbers and the time of the last checkpoint, so that only a witness can';
}

function optionsIn(where: Where): string {
  return Object.entries(where)
    .flatMap(([name, value]) => {
      const option = `--${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`;
      if (value === true) return [option];
      return [value].flat().map((one) => `${option} ${word(String(one))}`);
    })
    .join(' ');
}

function timeText(time: bigint): string {
  return rfc3339Of(time) ?? `${time} ns`;
}
