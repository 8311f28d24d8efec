import { deepEqual, equal, match } from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { execLines } from '../../support/journal/lines.ts';
import { segmentName } from '../../support/journal/segment-name.ts';
import { AGENT_BIN, ROOT } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';

const folder = temporaryFolder();
const lines = execLines(0, 2000).map((line) => `${line}\n`);
writeFileSync(join(folder, segmentName(1)), lines.join(''));
const ARGS = ['cat', '--journal-dir', folder];
const IN_POD = { ...process.env, POD_NAME: 'vcml-agent-x' };

/** Installs the launcher in a folder of its own, as in a container; it waits so many seconds. */
function launcher(t: TestContext, seconds: number): string {
  const root = temporaryFolder(t);
  mkdirSync(join(root, 'bin'));
  for (const part of ['agent', 'record', 'redact', 'node_modules', 'package.json'])
    symlinkSync(join(ROOT, part), join(root, part));
  const text = readFileSync(AGENT_BIN, 'utf8').replace(
    'wait_seconds=60',
    `wait_seconds=${seconds}`,
  );
  const file = join(root, 'bin/vcml-agent');
  writeFileSync(file, text, { mode: 0o755 });
  return file;
}

/** Starts a cat whose output nobody reads to its end. */
async function startEndless(t: TestContext, bin: string): Promise<ChildProcess> {
  const child = spawn(bin, ARGS, { env: IN_POD, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'readable');
  return child;
}

test('in a pod, a second cat says that it waits, and prints everything when the first has ended', async (t) => {
  const bin = launcher(t, 60);
  const first = await startEndless(t, bin);
  const second = spawn(bin, ARGS, { env: IN_POD });
  let [stdout, stderr] = ['', ''];
  second.stdout.on('data', (data) => (stdout += data));
  second.stderr.on('data', (data) => (stderr += data));
  await until('a wait', () => stderr.includes('waiting for another cat in this pod, at most 60 s'));
  equal(first.exitCode, null);
  first.kill('SIGKILL');
  const [code] = await once(second, 'close');
  deepEqual([code, stdout.length], [0, lines.join('').length]);
});

test('in a pod, a cat that waits too long says what to do, and ends with 75', async (t) => {
  const bin = launcher(t, 1);
  await startEndless(t, bin);
  const child = spawn(bin, ARGS, { env: IN_POD });
  let stderr = '';
  child.stderr.on('data', (data) => (stderr += data));
  const [code] = await once(child, 'close');
  equal(code, 75);
  match(stderr, /another cat is still running in this pod; try again when it has ended\n$/);
});

test('outside of a pod, cats do not wait for each other', async (t) => {
  const bin = launcher(t, 1);
  await startEndless(t, bin);
  const env = { ...process.env, POD_NAME: '' };
  const stdout = await new Promise<string>((resolve) => {
    execFile(bin, ARGS, { env, maxBuffer: 1 << 26 }, (_, text) => resolve(text));
  });
  equal(stdout.length, lines.join('').length);
});

test('when memory is short, the kernel ends a reader first', async (t) => {
  const { pid } = await startEndless(t, launcher(t, 1));
  equal(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'), '1000\n');
});
