import { match } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { execLines, sameLines } from '../../support/journal/lines.ts';
import { createExportBed } from '../../support/otlp/export-bed.ts';
import { ROOT } from '../../support/paths.ts';
import { until } from '../../support/until.ts';

test('a name that cannot be resolved for a while is resolved again', async (t) => {
  const bed = await createExportBed(t);
  const collector = await bed.collect();
  await bed.write(...execLines(0, 100));
  const hosts = join(bed.dir, '../hosts');
  writeFileSync(hosts, '127.0.0.1 localhost\n');
  // A mount namespace of its own: nobody else sees these hosts.
  const script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';
  const { segment, offset } = bed.journal.position;
  const child = spawn('unshare', [
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-c',
    script,
    'sh',
    hosts,
    process.execPath,
    join(ROOT, 'test/support/otlp/sender.ts'),
    bed.dir,
    `http://collector.test:${collector.port}`,
    `${segment}`,
    `${offset}`,
  ]);
  t.after(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (data) => (stderr += data));
  await until('the warning', () => stderr.includes('UNAVAILABLE'));
  match(stderr, /Name resolution failed/);
  const ended = once(child, 'exit');
  writeFileSync(hosts, '127.0.0.1 localhost collector.test\n');
  await ended;
  sameLines(collector.lines, execLines(0, 100));
});
