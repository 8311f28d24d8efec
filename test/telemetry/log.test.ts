import { deepEqual, equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOG_EVENTS } from '../../agent/log-events.ts';
import { suppressRepeats } from '../../agent/telemetry/log.ts';
import { ROOT } from '../support/paths.ts';

/** What a log of this level writes to stderr: `calls` are calls of `log`. */
function logged(level: string, calls: string): string {
  const script = `
    import { createLog } from '${join(ROOT, 'agent/telemetry/log.ts')}';
    const log = createLog('${level}');
    ${calls}`;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  }).stderr;
}

test('a line has the event’s code, level, sentence, remedy and fields', () => {
  const line = logged('info', `log('export.collector_denied', { code: 'UNAUTHENTICATED' });`);
  const { time, ...fields } = JSON.parse(line);
  match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const { sentence, remedy } = LOG_EVENTS['export.collector_denied'];
  deepEqual(fields, {
    level: 'error',
    event: 'export.collector_denied',
    code: 'UNAUTHENTICATED',
    remedy,
    msg: sentence,
  });
});

test('the line of an event without a remedy has no remedy', () => {
  const line = logged('info', `log('metadata.available');`);
  equal('remedy' in JSON.parse(line), false);
});

test('events below the level are left out', () => {
  const text = logged('error', `log('metadata.unavailable'); log('journal.delete_failed');`);
  deepEqual(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event),
    ['journal.delete_failed'],
  );
});

test('a recurring problem is reported once, and another problem is reported, too', () => {
  const reported: string[] = [];
  const report = suppressRepeats(({ message }) => reported.push(message));
  for (const message of ['full', 'full', 'broken', 'full', 'broken']) report(new Error(message));
  deepEqual(reported, ['full', 'broken']);
});
