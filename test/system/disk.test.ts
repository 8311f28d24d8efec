import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { judge } from '../check/check.ts';
import { JournalReader } from '../check/read.ts';
import { Agent, program, startAgent } from '../support/agent.ts';
import { createBed } from '../support/journal/bed.ts';
import { createFaults, type Faults } from '../support/journal/faults.ts';
import { scrape } from '../support/scrape.ts';

/** Room for the records of everything else that this machine executes. */
const SIZE = '200m';

test('a full disk ends nothing and loses nothing, and everything is written once there is space', async (t) => {
  const bed = createBed(t);
  bed.mount(SIZE);
  const filler = join(bed.dir, 'filler');
  const agent = await startAgent({ journalDir: bed.dir });
  t.after(() => agent.close());
  exec('before');
  await agent.journal.marked('before');
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'ignore' });
  const markers = Array.from({ length: 300 }, (_, n) => `full-${n}`);
  for (const marker of markers) exec(marker);
  await pause(3000); // longer than state.json's interval
  exec('still full');
  await pause(500);
  assert.equal(agent.stderr.match(/journal cannot be written, retrying every second/g)?.length, 1);
  rmSync(filler);
  exec('after');
  await agent.journal.marked('after');
  const seen = agent
    .records()
    .map(({ attributes }) => String((attributes['process.command_args'] as string[])?.[1]))
    .filter((marker) => markers.includes(marker));
  assert.deepEqual(seen, markers);
  assert.ok(!agent.records().some(({ action }) => action === 'journal.loss'));
  assert.equal(await agent.stop(), 0);
});

test('an agent starts on a full disk, and writes once there is space', async (t) => {
  const bed = createBed(t);
  bed.mount(SIZE);
  const filler = join(bed.dir, 'filler');
  const agent = await startAgent({ journalDir: bed.dir });
  t.after(() => agent.close());
  await agent.kill();
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'ignore' });
  const started = agent.start();
  await pause(1500);
  rmSync(filler);
  await started;
  assert.equal(await agent.stop(), 0);
});

/** An agent with a layer between its journal and the disk that can fail. */
async function startFaulty(t: TestContext, ...args: string[]): Promise<[Agent, Faults]> {
  const root = mkdtempSync(join(tmpdir(), 'vcml-faults-'));
  const journalDir = join(root, 'journal');
  const faults = createFaults(root, journalDir);
  const agent = new Agent({ journalDir, args });
  t.after(async () => {
    await agent.close();
    rmSync(root, { recursive: true });
  });
  // An agent takes its environment from here.
  Object.assign(process.env, faults.env);
  try {
    await agent.start();
  } finally {
    for (const name of Object.keys(faults.env)) delete process.env[name];
  }
  return [agent, faults];
}

const exec = (marker: string) => execFileSync(program('noop'), [marker]);

/** The numbers of the markers in the journal, in order; the journal must be sound. */
function markersIn(journalDir: string, like: RegExp): string[] {
  const lines = [...new JournalReader(journalDir).lines()];
  assert.deepEqual(judge(lines).findings, []);
  return lines
    .map((line) => String(JSON.parse(line).attributes['process.command_args']?.[1]))
    .filter((marker) => like.test(marker));
}

/** Waits until an agent has logged this. */
async function wrote(agent: Agent, text: RegExp): Promise<void> {
  for (let wait = 0; !text.test(agent.stderr); wait++) {
    if (wait > 1000) throw new Error(`not within 20 s: ${text}: ${agent.stderr}`);
    await pause(20);
  }
}

/** Waits until an agent has ended by itself; returns its exit code or signal. */
async function ended(agent: Agent): Promise<unknown> {
  for (let wait = 0; existsSync(`/proc/${agent.pid}`); wait++) {
    if (wait > 1000) throw new Error(`still there after 20 s: ${agent.stderr}`);
    await pause(20);
  }
  return agent.stop();
}

const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${name}-${n}`);

test('a disk that fails to write does not end the agent: one message, and everything is written when it works again', async (t) => {
  const [agent, faults] = await startFaulty(t);
  exec('eio:before');
  await agent.journal.marked('eio:before');
  faults.now('write EIO');
  const markers = numbered('eio:during', 200);
  for (const marker of markers) exec(marker);
  await wrote(agent, /EIO.*dmesg/);
  await pause(2500); // two more attempts
  assert.equal(agent.stderr.match(/journal cannot be written, retrying every second/g)?.length, 1);
  faults.now(undefined);
  await wrote(agent, /journal can be written again/);
  await agent.journal.marked(markers.at(-1) ?? '');
  assert.equal(await agent.stop(), 0, agent.stderr);
  assert.deepEqual(markersIn(agent.journalDir, /^eio:during/), markers);
});

for (const sync of ['always', 'interval'])
  test(`a disk that fails to sync ends nothing and duplicates nothing, sync ${sync}`, async (t) => {
    const [agent, faults] = await startFaulty(t, '--sync', sync, '--sync-interval', '50ms');
    faults.now('sync EIO');
    const markers = numbered('sync', 50);
    for (const marker of markers) exec(marker);
    await wrote(agent, /EIO/);
    faults.now(undefined);
    await agent.journal.marked(markers.at(-1) ?? '');
    assert.equal(await agent.stop(), 0, agent.stderr);
    assert.deepEqual(markersIn(agent.journalDir, /^sync/), markers);
  });

test('a disk that does not list the journal costs a scrape what it reads there, and no more', async (t) => {
  const waits = ['--telemetry-address', '0', '--export-endpoint', 'http://127.0.0.1:9'];
  const [agent, faults] = await startFaulty(t, ...waits);
  faults.now('list EIO');
  const during = await scrape(agent);
  assert.equal(during.get('vcml_journal_readable'), 0);
  assert.equal(during.has('vcml_export_lag_records'), false);
  faults.now(undefined);
  const after = await scrape(agent);
  assert.equal(after.get('vcml_journal_readable'), 1);
  assert.ok((after.get('vcml_export_lag_records') ?? 0) > 0);
  assert.equal(await agent.stop(), 0, agent.stderr);
});

for (const bytes of [1, 700, 100_000])
  test(`after SIGKILL at ${bytes} bytes of a large write, the next start cuts the line and writes everything`, async (t) => {
    const [agent, faults] = await startFaulty(t, '--drain-interval', '1s');
    exec('large:before');
    await agent.journal.marked('large:before');
    process.kill(agent.pid, 'SIGSTOP');
    const markers = numbered('large:during', 300);
    for (const marker of markers) exec(marker);
    faults.now(`kill ${bytes}`);
    process.kill(agent.pid, 'SIGCONT');
    assert.equal(await ended(agent), 'SIGKILL');
    faults.now(undefined);
    await agent.start();
    await agent.journal.marked(markers.at(-1) ?? '');
    assert.equal(await agent.stop(), 0, agent.stderr);
    if (bytes === 1) assert.match(agent.stderr, /incomplete last line cut from the journal/);
    assert.deepEqual(markersIn(agent.journalDir, /^large:/), ['large:before', ...markers]);
  });

for (const anew of [false, true])
  test(`an agent whose journal is moved ends with 73, and the next one continues${anew ? ' in a new folder there' : ''}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'vcml-moved-'));
    const agent = await startAgent({ journalDir: join(root, 'journal') });
    t.after(async () => {
      await agent.close();
      rmSync(root, { recursive: true });
    });
    exec('moved:before');
    await agent.journal.marked('moved:before');
    const moved = join(root, 'moved');
    renameSync(agent.journalDir, moved);
    if (anew) mkdirSync(agent.journalDir, { mode: 0o700 });
    const markers = numbered('moved:after', 20);
    for (const marker of markers) exec(marker);
    assert.equal(await ended(agent), 73);
    assert.equal(agent.stderr.match(/moved or replaced; start the agent again/g)?.length, 1);
    const next = new Agent({ journalDir: agent.journalDir, pinDir: agent.pinDir });
    t.after(() => next.close());
    await next.start();
    await next.journal.marked(markers.at(-1) ?? '');
    assert.equal(await next.stop(), 0, next.stderr);
    assert.deepEqual(markersIn(moved, /^moved:/), ['moved:before']);
    assert.deepEqual(markersIn(agent.journalDir, /^moved:/), markers);
  });

test('an agent whose journal is removed by others says so and ends with 73; the next one continues', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  rmSync(agent.journalDir, { recursive: true });
  exec('removed');
  assert.equal(await ended(agent), 73);
  assert.match(agent.stderr, /the journal .* cannot be used/);
  const next = new Agent({ journalDir: agent.journalDir, pinDir: agent.pinDir });
  t.after(() => next.close());
  await next.start();
  await next.journal.marked('removed');
  assert.equal(await next.stop(), 0, next.stderr);
  assert.deepEqual(markersIn(agent.journalDir, /^removed/), ['removed']);
});
