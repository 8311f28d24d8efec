import assert from 'node:assert/strict';
import type { Entry } from '../../../forensics/journals.ts';
import { FORMS } from '../../../forensics/output/form.ts';
import { recordPrinter } from '../../../forensics/output/records.ts';
import { sentencesOf } from '../../../forensics/output/sentences.ts';
import { renderMarkdown } from '../../../forensics/report/markdown.ts';
import { parseExact } from '../../../record/exact-json.ts';
import { readRecord } from '../../../record/read.ts';
import { hostileLines } from '../../support/journal/lines.ts';
import { RECORDS } from '../../support/odd-lines.ts';
import type { Target } from './target.ts';

// Colours are what these targets must not find.
process.env.NO_COLOR = '1';

/** What controls a terminal, is not visible, or reverses text, apart from the ends of lines. */
const UNSAFE = /(?![ \r\n])[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;
const CELL = /(?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,|\r\n)/gy;

/** What `vcml` prints of a record. */
export const READER_TARGETS: readonly Target[] = [
  {
    name: 'printed',
    property:
      'a record is printed in every form without anything that controls a terminal, as the same JSON, ' +
      'and with as many cells as there are columns',
    seeds: [...hostileLines(8, 2), ...RECORDS.map(([, line]) => line)],
    async check(input) {
      const text = input.toString().replaceAll('\n', ' ');
      const record = readRecord(text);
      if (record === undefined) return;
      for (const form of FORMS) {
        const printed = await printedAs(form, text);
        assert.doesNotMatch(printed, UNSAFE, form);
        if (form === 'jsonl') assert.deepEqual(parseExact(printed), record.json);
        if (form === 'json') assert.deepEqual(parseExact(printed), [record.json]);
        if (form === 'csv') assertTable(printed);
      }
      const chain = [record, record];
      for (const sentence of sentencesOf(chain)) assert.doesNotMatch(sentence, /[\r\n]/);
      const about = { title: text, selection: '', generatedFrom: { inputs: [] } };
      assert.doesNotMatch(renderMarkdown({ ...about, records: chain, chain }), UNSAFE);
    },
  },
];

async function printedAs(form: (typeof FORMS)[number], text: string): Promise<string> {
  let printed = '';
  const printer = recordPrinter(form, async (part) => {
    printed += part;
  });
  await printer.record({ text } as Entry);
  await printer.end();
  return printed;
}

function assertTable(printed: string): void {
  const [head = '', row = '', ...more] = printed.split(/(?<=\r\n)/);
  assert.deepEqual(more, []);
  const cells = row.match(CELL) ?? [];
  assert.equal(cells.join(''), row);
  assert.equal(cells.length, head.match(CELL)?.length);
}
