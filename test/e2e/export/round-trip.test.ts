import { test } from 'node:test';
import { execLines, hostileLines, journalLine, sameLines } from '../../support/journal/lines.ts';
import { createExportBed } from '../../support/otlp/export-bed.ts';
import { createRealCollector, NO_COLLECTOR } from './collector.ts';

test('ten thousand hostile records are restored byte for byte from a collector’s file', {
  skip: NO_COLLECTOR,
}, async (t) => {
  const bed = await createExportBed(t);
  const collector = await createRealCollector(t, bed.dir);
  await collector.start();
  const lines = [
    journalLine(
      'journal.start',
      1,
      ',"vcml.format.version":1,"vcml.hook.next_seq":[1,4503599627370496]',
    ),
    ...hostileLines(10_000, 3),
    journalLine('journal.loss', 2, ',"vcml.loss.stage":"reboot","vcml.loss.next_seq":[]'),
  ];
  bed.start(collector.port);
  for (let from = 0; from < lines.length; from += 250)
    await bed.write(...lines.slice(from, from + 250));
  await collector.written('"reboot"');
  sameLines(collector.lines(), lines);
});

test('records of many containers keep the journal’s order through a collector', {
  skip: NO_COLLECTOR,
}, async (t) => {
  const bed = await createExportBed(t);
  const collector = await createRealCollector(t, bed.dir);
  await collector.start();
  const lines = Array.from({ length: 2000 }, (_, n) =>
    execLines(n, n + 1, {
      resource: { 'host.name': 'node-1', 'container.id': `c${(n * 7) % 13}` },
    }),
  ).flat();
  await bed.write(...lines);
  bed.start(collector.port);
  await collector.written('"/usr/bin/p1999"');
  sameLines(collector.lines(), lines);
});
