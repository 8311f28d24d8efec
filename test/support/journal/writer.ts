/**
 * A process that writes numbered lines into a journal until it has written `lines`, beginning where
 * the journal ends: node writer.ts DIR OPTIONS. It prints the last number that is in the journal
 * after each batch. Before the next batch it records what was deleted for space. An error ends it,
 * unless OPTIONS have `onError`: then it prints a line that begins with `!`, and tries the batch again
 * (`retry`), or writes nothing more (`rest`).
 */
import { writeSync } from 'node:fs';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { openJournal } from '../../../agent/journal/journal.ts';
import { bootMs } from '../boot-clock.ts';
import { deletionLine, numberedLine } from './numbered-lines.ts';
import { readLinesSync } from './read-lines.ts';

const [dir = '', json = '{}'] = process.argv.slice(2);
const { lines, batch, padding: paddingMax, pauseMs, onError, ...options } = JSON.parse(json);
let hasFailed = false;
const journal = await openJournal({
  dir,
  segmentMaxBytes: 64 << 10,
  segmentMaxAgeMs: 3_600_000,
  maxBytes: 1 << 30,
  sync: 'interval',
  syncIntervalMs: 5,
  compressionLevel: 1,
  ...options,
  now: bootMs,
  report: ({ error }) => complain(error),
});
let n = 0;
for (const { line } of readLinesSync(dir)) n = (JSON.parse(line).n ?? n - 1) + 1;
while (n < lines && !(hasFailed && onError === 'rest')) {
  const padding = (i: number) => 'é'.repeat((n + i) % paddingMax);
  const texts = Array.from({ length: batch }, (_, i) => numberedLine(n + i, padding(i)));
  const deleted = journal.takeRetired().map(deletionLine);
  const bytes = Buffer.from([...deleted, ...texts, ''].join('\n'));
  while (!(await journal.append(bytes, bytes.length).then(() => true, complain))) await pause(5);
  n += batch;
  writeSync(1, `${n - 1}\n`);
  await (pauseMs ? pause(pauseMs) : turn());
}
if (!hasFailed) await journal.close();

function complain(error: Error): void {
  if (onError === undefined) throw error;
  hasFailed = true;
  writeSync(1, `!${error.message}\n`);
}
