import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hookText, statusText } from '../../../agent/commands/status.ts';
import { statusOf } from '../../../agent/commands/status-of.ts';
import type { Config } from '../../../agent/config/schema.ts';
import { type Agent, runProgram, startAgent } from '../../support/agent.ts';
import { runningBootId } from '../../support/ids.ts';
import { AGENT_BIN } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const MAPS = ['control_page', 'causes', 'cpus', 'scratches', 'events', 'cgroups'];
const LINKS = ['exit', 'exec', 'fork', 'cgroup_mkdir', 'cgroup_rmdir'].map(
  (name) => `on_${name}_1`,
);
const BOOT_ID = runningBootId();

const folder = temporaryFolder();

/**
 * The status of folders with these pins, this state and this lock; undefined: it does not exist.
 */
function statusWith(given: { pins?: string[]; state?: unknown; lock?: string } = {}) {
  const base = mkdtempSync(join(folder, 'case-'));
  const [journalDir, pinDir] = [join(base, 'journal'), join(base, 'pins')];
  if (given.pins) mkdirSync(pinDir);
  for (const name of given.pins ?? []) writeFileSync(join(pinDir, name), '');
  if (given.state !== undefined || given.lock) mkdirSync(journalDir);
  if (given.state !== undefined)
    writeFileSync(join(journalDir, 'state.json'), JSON.stringify(given.state));
  if (given.lock) symlinkSync(given.lock, join(journalDir, 'lock'));
  const found = statusOf({ journalDir, pinDir } as Config);
  return { found, text: statusText(found, Date.parse('2026-01-01T00:01:00Z')) };
}

function lineOf(text: string, name: string): string {
  return text.split('\n').find((line) => line.startsWith(`${name} `)) ?? '';
}

test('status says that no agent has run yet, as text and as JSON', () => {
  const where = ['--journal-dir', join(folder, 'absent'), '--pin-dir', join(folder, 'unpinned')];
  const { status, stdout } = spawnSync(AGENT_BIN, ['status', ...where], { encoding: 'utf8' });
  equal(status, 0);
  match(lineOf(stdout, 'agent'), /not running; there is no journal$/);
  match(lineOf(stdout, 'hook'), /nothing is pinned, nothing records$/);
  match(lineOf(stdout, 'journal'), /absent: there is no such folder$/);
  const json = spawnSync(AGENT_BIN, ['status', ...where, '--output', 'json'], { encoding: 'utf8' });
  const found = JSON.parse(json.stdout);
  deepEqual([found.running, found.pinned, found.state, found.segments], [false, false, null, null]);
});

test('of a folder that cannot be read, status does not say what is pinned', () => {
  const open = join(folder, 'open-to-all');
  mkdirSync(open);
  chmodSync(open, 0o777);
  const where = ['--journal-dir', folder, '--pin-dir', open, '--output', 'json'];
  const { stdout } = spawnSync(AGENT_BIN, ['status', ...where], { encoding: 'utf8' });
  const { pinned, pins } = JSON.parse(stdout);
  deepEqual([pinned, pins.missing], [null, []]);
  match(pins.why, /can be written by others/);
});

test('no text of state.json reaches the terminal unescaped', () => {
  const evil = '\u001b]0;owned\u0007\u202e\n';
  const { text } = statusWith({
    state: { nodeName: evil, updatedAt: evil, pid: evil, gaps: { [evil]: 1 }, records: evil },
  });
  equal(text.split('\n').length, 9);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  doesNotMatch(text.replaceAll('\n', ''), /[\x00-\x1f\u202e]/);
  match(lineOf(text, 'node'), /^node {5}\\x1b\]0;owned\\x07\\u\{202e\}\\n$/);
});

for (const state of [{}, { ring: {}, table: null, gaps: null }, { ring: { usedBytes: 'x' } }])
  test(`values that ${JSON.stringify(state)} does not have are unknown`, () => {
    const { text } = statusWith({ state, lock: ownLock() });
    doesNotMatch(text, /NaN|undefined|null/);
    match(lineOf(text, 'records'), /unknown/);
    match(lineOf(text, 'ring'), /unknown of unknown/);
    match(lineOf(text, 'table'), /unknown of unknown/);
  });

test('a state.json without a state counts as none', () => {
  for (const state of [null, [], 'x', 1]) equal(statusWith({ state }).found.state, null);
});

const hooks: [what: string, pins: string[] | undefined, pinned: boolean, text: RegExp][] = [
  ['no folder', undefined, false, /nothing is pinned/],
  ['an empty folder', [], false, /nothing is pinned/],
  ['foreign files only', ['on_exec', 'on_exec_x', 'links'], false, /nothing is pinned/],
  ['all of it', [...MAPS, ...LINKS], true, /recording into its ring buffer, read by no agent/],
  ['maps alone', MAPS, false, /incomplete, on_exit_1, on_exec_1, .* missing/],
  ['links alone', LINKS, false, /incomplete, control_page, .* missing/],
  ['no on_exec', [...MAPS, ...LINKS.filter((name) => name !== 'on_exec_1')], false, / on_exec_1 m/],
  ['an upgrade cut short', [...MAPS, ...LINKS, 'on_exec_2'], true, /recording/],
  ['a later generation', [...MAPS, ...LINKS.map((n) => n.replace('1', '12'))], true, /recording/],
];

for (const [what, pins, pinned, text] of hooks)
  test(`a pin folder with ${what} is shown as ${pinned ? 'a hook' : 'none'}`, () => {
    const { found, text: all } = statusWith(pins && { pins });
    equal(found.pinned, pinned);
    match(lineOf(all, 'hook'), text);
  });

test('where processes are not visible, status does not say that nobody reads the hook', () => {
  const { found } = statusWith({ pins: [...MAPS, ...LINKS] });
  match(hookText(found, true), /read by no agent/);
  match(hookText(found, false), /recording; who reads cannot be seen from this pid namespace$/);
});

test('an agent runs only where the lock names its process, start and boot', () => {
  const [pid, start, boot] = ownLock().split(' ');
  equal(statusWith({ lock: `${pid} ${start} ${boot}` }).found.running, true);
  equal(statusWith({ lock: `${pid} ${start} another-boot` }).found.running, false);
  equal(statusWith({ lock: `${pid} 1 ${boot}` }).found.running, false);
  equal(statusWith({ lock: 'x' }).found.running, false);
});

test('status shows how the latest run ended', () => {
  const ended = (state: object) => lineOf(statusWith({ state }).text, 'agent');
  match(ended({ pid: 7, hookState: 'kept' }), /pid 7, stopped in an orderly way and kept the hook/);
  match(
    ended({ pid: 7, hookState: 'detached' }),
    /stopped in an orderly way and detached the hook/,
  );
  match(ended({ pid: 7, hookState: 'resumed', bootId: BOOT_ID }), /was killed or crashed/);
  match(ended({ pid: 7, hookState: 'attached', bootId: 'x' }), /ended when the machine rebooted/);
});

test('status shows how old its figures are', () => {
  const { text } = statusWith({ state: { updatedAt: '2026-01-01T00:00:00Z' } });
  match(lineOf(text, 'as'), /2026-01-01T00:00:00Z, 60 s ago$/);
});

test('folders that may not be read are named, and do not end status', () => {
  const base = mkdtempSync(join(folder, 'closed-'));
  const file = join(base, 'file');
  writeFileSync(file, '');
  const found = statusOf({ journalDir: file, pinDir: file } as Config);
  const text = statusText(found, 0);
  match(lineOf(text, 'agent'), /unknown: ENOTDIR/);
  match(lineOf(text, 'journal'), /unknown: ENOTDIR/);
  match(lineOf(text, 'hook'), /unknown: ENOTDIR/);
});

test('status distinguishes a running agent, one with another journal, and a killed one', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  await runProgram('noop', 'status:running');
  await agent.journal.marked('status:running');
  const { pid } = agent;
  match(lineOf(liveText(agent), 'agent'), new RegExp(`running, pid ${pid}$`));
  match(lineOf(liveText(agent), 'hook'), /: recording$/);
  const other = liveText(agent, { journalDir: join(agent.directory, 'other') });
  match(lineOf(other, 'agent'), /not running/);
  match(lineOf(other, 'hook'), new RegExp(`read by process ${pid}, which does not write this`));
  const elsewhere = liveText(agent, { pinDir: join(agent.directory, 'none') });
  match(lineOf(elsewhere, 'hook'), /the running agent has another --pin-dir/);
  await agent.kill();
  match(lineOf(liveText(agent), 'agent'), /not running/);
  match(lineOf(liveText(agent), 'hook'), /recording into its ring buffer, read by no agent/);
  ok(readdirSync(agent.pinDir).includes('on_exec_1'));
});

test('status neither takes nor needs the lock of the hook', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const child = spawn(AGENT_BIN, ['status', '--pin-dir', agent.pinDir], { stdio: 'ignore' });
  deepEqual(await once(child, 'exit'), [0, null]);
  equal(await agent.stop(), 0);
});

function liveText(agent: Agent, changes: Partial<Config> = {}): string {
  const { journalDir, pinDir } = agent;
  return statusText(statusOf({ journalDir, pinDir, ...changes } as Config), Date.now());
}

function ownLock(): string {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${process.pid} ${start} ${BOOT_ID}`;
}
