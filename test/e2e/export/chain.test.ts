import { deepEqual } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const PYTHON = 'build/chdb/bin/python';

/** The ClickHouse engine in a Python package: about 900 MB, in a folder of its own. */
function installEngine(): void {
  if (existsSync('build/chdb/installed')) return;
  execFileSync('python3', ['-m', 'venv', 'build/chdb']);
  execFileSync(PYTHON, ['-m', 'pip', 'install', '--quiet', 'chdb==4.4.0']);
  execFileSync('touch', ['build/chdb/installed']);
}

const RUN = `
import sys
from chdb import session
found = session.Session()
for part in sys.stdin.read().split(';\\n'):
    if part.strip(): last = found.query(part, 'JSONEachRow')
print(last.bytes().decode(), end='')
`;

/** Runs statements one after the other, and gives the last one's rows. */
function clickhouse(...statements: string[]): Record<string, unknown>[] {
  const input = statements.join(';\n');
  const text = execFileSync(PYTHON, ['-c', RUN], { input, encoding: 'utf8' });
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

function insert(second: number, id: string, cause: string | undefined, object: string): string {
  const more = cause === undefined ? `'vcml.gap.reason','lost'` : `'vcml.parent_cause','${cause}'`;
  return `INSERT INTO vcml.records (Timestamp, EventName, LogAttributes) VALUES
    ('2026-01-01 23:59:5${second}.000000001', 'vcml.exec',
    map('log.record.uid','${id}','vcml.object','${object}',${more}))`;
}

test('a chain is read from ClickHouse to its gap, each record once', (t) => {
  try {
    installEngine();
  } catch (error) {
    t.skip(`chdb cannot be installed here: ${error}`);
    return;
  }
  const rows = clickhouse(
    readFileSync('deploy/collector/clickhouse.sql', 'utf8'),
    insert(0, 'gap', undefined, '/sbin/shim'),
    insert(1, 'sh', 'gap', '/bin/sh'),
    insert(1, 'sh', 'gap', '/bin/sh'),
    insert(2, 'curl', 'sh', '/usr/bin/curl'),
    insert(3, 'other', 'sh', '/usr/bin/other'),
    insert(3, 'curl2', 'curl', '/tmp/x'),
    `SET param_id = 'curl2'`,
    readFileSync('deploy/collector/chain.sql', 'utf8'),
  );
  deepEqual(
    rows.map((row) => [row.Depth, row.Id, row.ParentCause, row.Object, row.GapReason]),
    [
      [0, 'curl2', 'curl', '/tmp/x', ''],
      [1, 'curl', 'sh', '/usr/bin/curl', ''],
      [2, 'sh', 'gap', '/bin/sh', ''],
      [3, 'gap', '', '/sbin/shim', 'lost'],
    ],
  );
});
