import { deepEqual, ok } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exec, execId, lines, loss, start, stop } from '../../check/craft.ts';
import { audited } from '../../support/forensics.ts';
import { createExportBed } from '../../support/otlp/export-bed.ts';
import { provesHistory } from '../../support/otlp/history.ts';
import { isWithheld } from '../../support/otlp/withheld.ts';
import { until } from '../../support/until.ts';
import { createRealCollector, NO_COLLECTOR } from './collector.ts';

const EXECS = 3000;
const CPUS = 3;
const LOST = { cpu: 1, first: 200, last: 260 };

/** A sound journal of chains in which some records run a program that a rule names. */
function journalOf(): string[] {
  const next = new Array<number>(CPUS).fill(1);
  const records = [start([...next])];
  for (let n = 0; n < EXECS; n++) {
    const cpu = (n * 7) % CPUS;
    let seq = next[cpu] ?? 1;
    if (cpu === LOST.cpu && seq === LOST.first) {
      records.push(loss(10 * n, 1, cpu, LOST.first, LOST.last));
      seq = LOST.last + 1;
    }
    next[cpu] = seq + 1;
    const quiet = (n >> 3) % 3 === 0 ? { 'process.executable.path': '/usr/bin/quiet' } : {};
    const parent = n === 0 ? {} : { parent: execId(10 * (n - 1) + 5, n + 99) };
    const record = exec(10 * n + 5, n + 100, cpu, seq, { ...parent, ...quiet });
    if (quiet['process.executable.path'] !== undefined)
      record.attributes['process.executable.name'] = 'quiet';
    records.push(record);
  }
  records.push(stop(10 * EXECS, 2, EXECS, 1, LOST.last - LOST.first + 1));
  return lines(records);
}

test('the file of a collector that gets records and withheld ranges is sound, also after a crash', {
  skip: NO_COLLECTOR,
}, async (t) => {
  const bed = await createExportBed(t);
  const collector = await createRealCollector(t, bed.dir);
  await collector.start();
  const journal = journalOf();
  const options = { rules: ['deny executable=/usr/bin/quiet'], batchRecords: 100 };
  const first = bed.start(collector.port, options);
  await bed.write(...journal.slice(0, 1000));
  await until('a part', () => first.position.offset > 0);
  const middle = first.position;
  await bed.write(...journal.slice(1000, 2000));
  await until('more', () => first.position.offset === bed.journal.position.offset);
  await bed.stop();
  // As if it had been killed before it saved the cursor.
  writeFileSync(join(bed.dir, 'export-cursor.json'), JSON.stringify(middle));
  await bed.reopen();
  const second = bed.start(collector.port, options);
  await bed.write(...journal.slice(2000));
  await until('the end', () => second.position.offset === bed.journal.position.offset);
  await bed.stop();
  await collector.stop('SIGTERM');
  const received = collector.lines();
  provesHistory({ received, journal });
  ok(received.some(isWithheld));
  const findings = await audited(join(bed.dir, 'received.jsonl'));
  deepEqual(findings.slice(0, 3), []);
});
