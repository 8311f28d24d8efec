import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Agent, startAgent } from '../../support/agent.ts';

/**
 * The functions that the programs may call: those that read, and those of their own maps and ring.
 */
const HELPERS = new Set([
  'bpf_get_current_task',
  'bpf_get_smp_processor_id',
  'bpf_ktime_get_boot_ns',
  'bpf_map_lookup_elem',
  'bpf_map_update_elem',
  'bpf_map_delete_elem',
  'bpf_probe_read_kernel',
  'bpf_probe_read_kernel_str',
  'bpf_probe_read_user',
  'bpf_ringbuf_discard',
  'bpf_ringbuf_output',
  'bpf_ringbuf_query',
  'bpf_ringbuf_reserve',
]);
/** The names of inlined functions in the kernel's listing. */
const INLINED = /^((?:__)?htab_(?:lru_)?map_\w+|array_map_\w+|bpf_probe_read_\w+|bpf_ringbuf_\w+)$/;

let agent: Agent;

before(async () => {
  agent = await startAgent();
});
after(() => agent?.close());

interface Program {
  readonly id: number;
  readonly type: string;
  readonly name: string;
}

/** The programs behind the pinned links. */
function programs(): Program[] {
  return readdirSync(agent.pinDir)
    .filter((name) => name.startsWith('on_'))
    .map((name) => {
      const link = bpftool('link', 'show', 'pinned', join(agent.pinDir, name));
      return bpftool('prog', 'show', 'id', String(link.prog_id));
    });
}

test('every program that is attached is a tracing program on a tracepoint', () => {
  const all = programs();
  assert.equal(all.length, 5);
  for (const program of all) assert.equal(program.type, 'tracing', program.name);
  // It is not fentry, fmod_ret or LSM: their links are of type "tracing".
  for (const name of readdirSync(agent.pinDir).filter((one) => one.startsWith('on_')))
    assert.equal(
      bpftool('link', 'show', 'pinned', join(agent.pinDir, name)).type,
      'raw_tracepoint',
    );
});

test('programs only call functions that read, and those of their own maps and ring', () => {
  for (const { id, name } of programs()) {
    const listing = execFileSync('bpftool', ['prog', 'dump', 'xlated', 'id', String(id)], {
      encoding: 'utf8',
      maxBuffer: 16 << 20,
    });
    const called = [...listing.matchAll(/call (?!pc)([^\s#]+)/g)].map(([, helper]) => helper ?? '');
    assert.ok(called.length > 0, `${name} calls nothing: the listing was not understood`);
    const others = called.filter((helper) => !HELPERS.has(helper) && !INLINED.test(helper));
    assert.deepEqual([...new Set(others)], [], name);
  }
});

function bpftool(...args: string[]) {
  return JSON.parse(execFileSync('bpftool', ['-j', ...args], { encoding: 'utf8' }));
}
