import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { execLine } from '../../support/journal/lines.ts';
import { createExportBed } from '../../support/otlp/export-bed.ts';
import { until } from '../../support/until.ts';

test('while every record is refused, only a few megabytes are read ahead of the first', async (t) => {
  const bed = await createExportBed(t);
  const seen = new Set<string>();
  const collector = await bed.collect({
    answer: (lines) => {
      for (const line of lines) seen.add(line);
      return { kind: 'fail', code: status.INTERNAL };
    },
  });
  const args = ['x'.repeat(2 << 20)];
  for (let n = 0; n < 6; n++) await bed.write(execLine(n, { args }));
  bed.start(collector.port);
  // After ten refusals, which are two calls each, four others are tried.
  await until('other records', () => collector.calls.length >= 24);
  // The first, and those within 4 MiB behind it.
  equal(seen.size, 3);
});
