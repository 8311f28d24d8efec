import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecEvent } from '../../../record/types.ts';
import { program } from '../../support/agent.ts';
import { mountBpffs } from '../../support/bpffs.ts';
import { drainExecs, openTestHook } from '../../support/hook.ts';
import { ROOT } from '../../support/paths.ts';

const ROUNDS = 15;
const ARCH = process.arch === 'arm64' ? 'arm64' : 'x86';
const FLAGS = ['-O2', '-g', '-target', 'bpf', '-mcpu=v2', `-D__TARGET_ARCH_${ARCH}`];
/**
 * The place between an exec's number and its event; a delay makes that moment long enough to meet.
 */
const DELAY = `
static __noinline u32 delay(u64 x)
{
	u32 sum = 0;

	for (u32 i = 0; i < 4000; i++)
		sum += bpf_ktime_get_boot_ns() == x;
	return sum;
}
`;
const PLACE = '\tif (is_quiet(control, now)) {\n\t\tif (cpu->quiet_last';

const directory = mkdtempSync(join(tmpdir(), 'vcml-test-'));
const bpffs = join(directory, 'bpffs');
const builds = [join(directory, 'slow.bpf.o'), join(directory, 'other.bpf.o')] as const;

before(() => {
  mkdirSync(bpffs);
  mountBpffs(bpffs);
  const source = join(directory, 'bpf');
  cpSync(join(ROOT, 'bpf'), source, { recursive: true });
  const file = join(source, 'exec.bpf.c');
  const text = readFileSync(file, 'utf8');
  assert.ok(text.includes(PLACE));
  writeFileSync(
    file,
    text
      .replace('static __always_inline bool is_quiet(', `${DELAY}$&`)
      .replace(PLACE, `\tdelay(seq);\n\tdelay(seq);\n\tdelay(seq);\n${PLACE}`),
  );
  execFileSync('clang', [...FLAGS, '-c', file, '-o', builds[0]]);
  execFileSync('llvm-strip', ['-g', builds[0]]);
  const note = join(directory, 'note');
  writeFileSync(note, 'another build');
  execFileSync('llvm-objcopy', ['--add-section', `.comment.other=${note}`, ...builds]);
});

process.once('exit', () => {
  spawnSync('umount', ['--lazy', bpffs]);
  rmSync(directory, { recursive: true, force: true });
});

test('an exec during a change of kernel sides is recorded once, and an exec during the end is recorded', async (t) => {
  const storm = spawn(program('storm'), ['2', '600', program('noop'), 'under-way'], {
    detached: true,
    stdio: 'ignore',
  });
  t.after(() => process.kill(-Number(storm.pid)));
  for (let round = 0; round < ROUNDS; round++) {
    const events: ExecEvent[] = [];
    const first = await openTestHook(bpffs, builds[0]);
    first.arm();
    await sleep(5 + Math.random() * 10);
    first.close();
    const hook = await openTestHook(bpffs, builds[1]);
    assert.equal(hook.state, 'upgraded');
    await sleep(5);
    hook.disarm();
    const [, end] = hook.positions();
    while (hook.positions()[0] < end) events.push(...drainExecs(hook));
    await sleep(5);
    assert.equal(hook.positions()[1], end, 'written after the end');
    hook.detach();
    // Some kernels report no fork for processes that init itself starts.
    const untracked = events.filter(({ cause, ppid }) => cause.kind === 'untracked' && ppid !== 1);
    assert.deepEqual(untracked, []);
  }
});
