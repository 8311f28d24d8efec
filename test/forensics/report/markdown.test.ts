import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { renderMarkdown } from '../../../forensics/report/markdown.ts';
import { readRecord, type StoredRecord } from '../../../record/read.ts';
import { type Draft, exec, execId, loss, text } from '../../check/craft.ts';

function ran(at: number, pid: number, args: readonly string[], more: object = {}): StoredRecord {
  const attributes = { 'process.command_args': args, 'process.args_count': args.length, ...more };
  const draft: Draft = exec(at, pid, 0, at, attributes);
  const record = readRecord(text(draft));
  if (record === undefined) throw new Error('no record');
  return record;
}

const NOTHING = { title: 'T', selection: 'report', generatedFrom: { inputs: [] } };

/** The lines outside of fenced blocks. */
function proseOf(markdown: string): string[] {
  let fence: string | undefined;
  return markdown.split('\n').filter((line) => {
    const [run] = /^`{3,}/.exec(line) ?? [];
    if (run === undefined || (fence !== undefined && run.length < fence.length))
      return fence === undefined && line !== '';
    fence = fence === undefined ? run : undefined;
    return false;
  });
}

test('a report in Markdown has the sentences, the records and what it is made from', () => {
  const cause = ran(10, 100, ['sh']);
  const effect = ran(20, 101, ['id', '-u'], { parent: execId(10, 100) });
  const inputs = [{ path: 'node-1', records: 2, skippedLines: 1 }];
  const markdown = renderMarkdown({
    ...NOTHING,
    generatedFrom: { inputs, warnings: ['a file is torn'] },
    notes: new Map([[1, ['candidate: pods/exec by alice']]]),
    records: [cause, effect],
    chain: [effect, cause],
  });
  deepEqual(proseOf(markdown), [
    '# T',
    '## In sentences',
    '## Records',
    '## What permitted it, and who may have asked for it',
    '## What is missing',
    '## Made from',
  ]);
  match(markdown, /ran on the host node as root\.\nIt was started by .*\nThe memory ends at /);
  match(markdown, new RegExp(`${effect.id.slice(0, 8)}  ← ${cause.id.slice(0, 8)}\\n {4}.*id -u`));
  match(markdown, /alice.*a file is torn.*vcml report\nnode-1: 2 records, skipped 1 line\n/s);
});

test('a record about the journal shows what it says', () => {
  const record = readRecord(text(loss(20, 1, 0, 2, 4)));
  const markdown = renderMarkdown({ ...NOTHING, records: record ? [record] : [], chain: [] });
  match(markdown, /journal\.loss {2}node {2}\w{8}\n {4}lost 3 records \(ring_buffer\), cpu 0/);
});

test('nothing in a record ends a block', () => {
  const args = ['sh', '````\n# x', '<img src=x>', '\u202e`````', '|'];
  const markdown = renderMarkdown({ ...NOTHING, records: [ran(10, 100, args)], chain: [] });
  deepEqual(proseOf(markdown), ['# T', '## Records', '## Made from']);
  ok(!markdown.includes('\u202e'));
  equal(markdown.match(/^`{6}/gm)?.length, 2);
});
