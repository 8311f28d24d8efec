// What valgrind.ts runs under valgrind: every call of the addon, and what it refuses.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openHook, removePins } from '../../agent/source/hook.ts';
import { environmentAsked } from '../../agent/source/layout.ts';

const [, , root = '', pinDir = ''] = process.argv;
const options = {
  addonPath: join(root, 'build/vcml_hook.node'),
  objectPath: join(root, 'build/exec.bpf.o'),
  pinDir,
  holder: 'the test',
  ringBytes: 1 << 20,
  tableEntries: 0,
  argsBytes: 8192,
  environment: environmentAsked.environmentEntries,
  quietAfterMs: 900_000,
  mountBpffs: false,
  attach: true,
};
const refused = (change: object) => openHook({ ...options, ...change }, 0);

await assert.rejects(refused({ attach: false }), { code: 'HOOK_ABSENT' });
await assert.rejects(refused({ objectPath: '/etc/passwd' }), { code: 'KERNEL_UNSUPPORTED' });
await assert.rejects(refused({ pinDir: join(root, 'build/no-bpffs') }), { code: 'HOOK_BPFFS' });

let drained = 0;
for (const state of ['attached', 'resumed']) {
  const hook = await openHook(options, 0);
  assert.equal(hook.state, state);
  assert.equal(hook.readMisses, state === 'attached' ? 0 : 3);
  assert.ok(hook.arm() > 0n);
  await assert.rejects(refused({}), { code: 'HOOK_BUSY' });
  const next = new Float64Array(hook.cpuCount).fill(1);
  // More than the ring holds, in parts: it is read around its end several times.
  for (let part = 0; part < 8; part++) {
    const { status } = spawnSync(join(root, 'build/programs/load'), ['storm', '40', '8000']);
    assert.equal(status, 0);
    for (let bytes = hook.drain(); bytes > 0; bytes = hook.drain()) drained += bytes;
    hook.commit(next, 3);
  }
  const woken = Promise.withResolvers<void>();
  if (hook.sleep(woken.resolve)) {
    spawnSync('/bin/true');
    await woken.promise;
  }
  hook.touch();
  assert.equal(hook.cpuStates().length % hook.cpuCount, 0);
  assert.equal((hook.causes()?.length ?? 0) % 2, 0);
  assert.equal(hook.statistics().ringBytes, 1 << 20);
  assert.ok(hook.positions()[1] > 0);
  assert.deepEqual(hook.restorePins(), []);
  rmSync(join(pinDir, 'events'));
  assert.deepEqual(hook.restorePins(), ['events']);
  hook.releaseMemory();
  if (state === 'attached') hook.close();
  else {
    hook.disarm();
    assert.ok(hook.detach().length > 0);
  }
  assert.throws(() => hook.drain(), /closed/);
  hook.touch();
}
assert.ok(drained > 2 << 20, `${drained} bytes`);
assert.deepEqual(removePins(options.addonPath, pinDir), []);
