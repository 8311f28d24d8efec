import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { judge } from '../../check/check.ts';
import { type Agent, program, runProgram, startAgent } from '../../support/agent.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';

let agent: Agent;
/** the folder of these tests' files, by a path without links */
let dir: string;
let next = 0;

before(async () => {
  agent = await startAgent();
  dir = join(realpathSync(agent.directory), 'files');
  mkdirSync(join(dir, 'a/b'), { recursive: true });
  copyFileSync(program('noop'), join(dir, 'noop'));
  copyFileSync(program('noop'), join(dir, 'a/noop'));
});
after(() => agent?.close());

/** Runs a case of paths.c with a unique marker as the last argument; returns its record. */
async function record(name: string, ...args: readonly string[]): Promise<JournalLine> {
  next += 1;
  const marker = `case:path:${next}`;
  await runProgram('paths', name, ...args, marker);
  return agent.journal.marked(marker);
}

function assertPaths({ object, attributes }: JournalLine, expected: string, executable = expected) {
  assert.equal(object, expected);
  assert.equal(attributes['process.executable.path'], executable);
}

/** Flags, which exist only if they are true. */
function flagsOf({ attributes }: JournalLine): string[] {
  return Object.keys(attributes)
    .filter((key) => attributes[key] === true)
    .sort();
}

describe('the object is the path as it was given, made absolute', () => {
  test('an absolute path stays', async () => {
    assertPaths(await record('given', '/', join(dir, 'noop')), join(dir, 'noop'));
  });

  test('a relative path is joined to the working directory', async () => {
    const line = await record('given', dir, 'a/noop');
    assertPaths(line, join(dir, 'a/noop'));
    assert.equal(line.attributes['process.working_directory'], dir);
    assert.deepEqual(flagsOf(line), []);
  });

  test('dots and empty parts are removed', async () => {
    assertPaths(await record('given', dir, './/a/.//./noop'), join(dir, 'a/noop'));
    assertPaths(await record('given', '/', `/.//${dir}/./noop`), join(dir, 'noop'));
  });

  test('leading .. are resolved against the working directory', async () => {
    assertPaths(await record('given', join(dir, 'a/b'), '../noop'), join(dir, 'a/noop'));
    assertPaths(await record('given', join(dir, 'a/b'), './../.././noop'), join(dir, 'noop'));
  });

  test('more .. than directories end at the root', async () => {
    const up = '../'.repeat(40);
    assertPaths(await record('given', dir, `${up}${dir.slice(1)}/noop`), join(dir, 'noop'));
  });

  test('any other .. stays as written, because a link may precede it', async () => {
    mkdirSync(join(dir, 'elsewhere/deep'), { recursive: true });
    copyFileSync(program('noop'), join(dir, 'elsewhere/target'));
    symlinkSync('elsewhere/deep', join(dir, 'link'));
    const given = join(dir, 'elsewhere/target');
    assertPaths(await record('given', dir, 'link/../target'), `${dir}/link/../target`, given);
    assertPaths(await record('given', dir, 'a/../noop'), `${dir}/a/../noop`, `${dir}/noop`);
  });

  test('symbolic links are followed in the executable, and not in the object', async () => {
    symlinkSync('noop', join(dir, 'applet'));
    assertPaths(await record('given', dir, 'applet'), join(dir, 'applet'), join(dir, 'noop'));
    symlinkSync('a', join(dir, 'linked-directory'));
    const line = await record('given', join(dir, 'linked-directory'), './noop');
    assertPaths(line, join(dir, 'a/noop'));
  });

  test('the object of a script is the script, and the executable is its interpreter', async () => {
    writeFileSync(join(dir, 'script'), `#!${dir}/noop with\n`, { mode: 0o755 });
    const marker = 'case:path:script';
    await runProgram('paths', 'given', dir, './script', marker);
    const line = await agent.journal.marked(`with ./script ${marker}`);
    assertPaths(line, join(dir, 'script'), join(dir, 'noop'));
  });

  test('a relative interpreter is found from the working directory', async () => {
    writeFileSync(join(dir, 'a/b/relative'), '#!./noop\n', { mode: 0o755 });
    const marker = 'case:path:relative';
    await runProgram('paths', 'given', join(dir, 'a'), 'b/relative', marker);
    const line = await agent.journal.marked(`b/relative ${marker}`);
    assertPaths(line, join(dir, 'a/b/relative'), join(dir, 'a/noop'));
  });

  test('an interpreter that is a script runs its own interpreter', async () => {
    writeFileSync(join(dir, 'outer'), `#!${dir}/script\n`, { mode: 0o755 });
    const marker = 'case:path:nested';
    await runProgram('paths', 'given', dir, './outer', marker);
    const line = await agent.journal.marked(`with ${dir}/script ./outer ${marker}`);
    assertPaths(line, join(dir, 'outer'), join(dir, 'noop'));
  });
});

describe('a descriptor is resolved through the task', () => {
  test('fexecve of a file', async () => {
    const line = await record('by-fd', join(dir, 'noop'));
    assertPaths(line, join(dir, 'noop'));
    assert.deepEqual(flagsOf(line), []);
  });

  test('fexecve of a script names the script', async () => {
    writeFileSync(join(dir, 'by-fd-script'), `#!${dir}/noop\n`, { mode: 0o755 });
    const marker = 'case:path:by-fd-script';
    await runProgram('paths', 'by-fd', join(dir, 'by-fd-script'), marker);
    const line = await agent.journal.waitFor(marker, (records) =>
      records.find(
        ({ object, attributes }) =>
          object === join(dir, 'by-fd-script') &&
          String(attributes['process.command_args']).endsWith(marker),
      ),
    );
    assertPaths(line, join(dir, 'by-fd-script'), join(dir, 'noop'));
  });

  test('if the descriptor is close-on-exec, the object is the resolved path and is marked', async () => {
    const line = await record('by-fd-cloexec', join(dir, 'applet'));
    assertPaths(line, join(dir, 'noop'));
    assert.deepEqual(flagsOf(line), ['vcml.object.resolved']);
  });

  test('execveat with a directory', async () => {
    assertPaths(await record('at-dir', join(dir, 'a'), 'noop'), join(dir, 'a/noop'));
    assertPaths(await record('at-dir', dir, './a//noop'), join(dir, 'a/noop'));
    assertPaths(await record('at-dir', join(dir, 'a/b'), '../noop'), join(dir, 'a/noop'));
    assertPaths(await record('at-dir', dir, 'applet'), join(dir, 'applet'), join(dir, 'noop'));
  });

  test('execveat with a directory that is close-on-exec', async () => {
    const line = await record('at-dir-cloexec', dir, 'applet');
    assertPaths(line, join(dir, 'noop'));
    assert.deepEqual(flagsOf(line), ['vcml.object.resolved']);
  });

  test('a memfd', async () => {
    const line = await record('memfd', 'in memory');
    assertPaths(line, '/memfd:in memory');
    assert.equal(line.attributes['process.executable.name'], 'memfd:in memory');
    assert.equal(line.attributes['vcml.executable.memfd'], true);
    assert.equal(line.attributes['vcml.object.resolved'], undefined);
  });

  test('a memfd that is close-on-exec', async () => {
    const line = await record('memfd-cloexec', 'gone');
    assertPaths(line, '/memfd:gone');
    assert.equal(line.attributes['vcml.executable.memfd'], true);
    assert.equal(line.attributes['vcml.object.resolved'], true);
  });
});

describe('the executable is the file that runs, as the process itself would read it', () => {
  test('a deleted file has its path without " (deleted)" and is marked', async () => {
    copyFileSync(program('noop'), join(dir, 'victim'));
    const line = await record('unlinked', join(dir, 'victim'));
    assertPaths(line, join(dir, 'victim'));
    assert.deepEqual(flagsOf(line), ['vcml.executable.unlinked']);
  });

  test('a file that is named " (deleted)" is not a deleted file', async () => {
    copyFileSync(program('noop'), join(dir, 'noop (deleted)'));
    const line = await record('given', dir, './noop (deleted)');
    assertPaths(line, join(dir, 'noop (deleted)'));
    assert.deepEqual(flagsOf(line), []);
  });

  test('a bind-mounted file has the path of its mount point', async () => {
    writeFileSync(join(dir, 'bound'), '');
    const line = await record('bind-mount', join(dir, 'noop'), join(dir, 'bound'));
    assertPaths(line, join(dir, 'bound'));
  });

  test('in a chroot the path begins at its root', async () => {
    mkdirSync(join(dir, 'root/bin'), { recursive: true });
    copyFileSync(program('noop'), join(dir, 'root/bin/noop'));
    const line = await record('in-chroot', join(dir, 'root'), 'bin/noop');
    assertPaths(line, '/bin/noop');
    assert.equal(line.attributes['process.working_directory'], '/');
  });

  test('outside of the root the path is (unreachable), and so is the working directory', async () => {
    const line = await record('outside-chroot', join(dir, 'root'), join(dir, 'noop'));
    for (const path of [line.object, line.attributes['process.executable.path']]) {
      assert.match(String(path), /^\(unreachable\)\/.*files\/noop$/);
    }
    assert.match(String(line.attributes['process.working_directory']), /^\(unreachable\)\//);
  });

  test('a relative name outside of the root', async () => {
    const line = await record('outside-chroot-relative', join(dir, 'root'), dir, './noop');
    for (const path of [line.object, line.attributes['process.executable.path']]) {
      assert.match(String(path), /^\(unreachable\)\/.*files\/noop$/);
    }
  });

  test('a file in its own detached tree has its name', async () => {
    const line = await record('detached', join(dir, 'detached'));
    assertPaths(line, '(unreachable)/detached');
  });

  test('on overlayfs the record says whether the file is in the upper layer', async () => {
    const markers = ['lower', 'upper', 'copied-up'].map((name) => `case:overlay:${name}`);
    mkdirSync(join(dir, 'overlay'));
    await runProgram('paths', 'overlay', join(dir, 'overlay'), ...markers);
    const [lower, upper, copiedUp] = await Promise.all(
      markers.map((marker) => agent.journal.marked(marker)),
    );
    assert.ok(lower && upper && copiedUp);
    assertPaths(lower, join(dir, 'overlay/merged/lower'));
    assert.deepEqual(flagsOf(lower), []);
    assert.deepEqual(flagsOf(upper), ['vcml.executable.upper_layer']);
    assert.deepEqual(flagsOf(copiedUp), ['vcml.executable.upper_layer']);
  });

  test('a setuid exec is marked, and has real, effective and saved ids', async () => {
    copyFileSync(program('noop'), join(dir, 'setuid'));
    chmodSync(join(dir, 'setuid'), 0o4755);
    const line = await record('as-user', '1234', join(dir, 'setuid'));
    assert.deepEqual(flagsOf(line), ['vcml.executable.setuid']);
    assert.equal(line.attributes['vcml.executable.mode'], '4755');
    assert.deepEqual([line.actor.uid, line.actor.gid], [1234, 1234]);
    assert.equal(line.attributes['process.user.id'], 0);
    assert.equal(line.attributes['process.saved_user.id'], 0);
    const plain = await record('as-user', '1234', join(dir, 'noop'));
    assert.equal(plain.attributes['process.user.id'], 1234);
    assert.deepEqual(flagsOf(plain), []);
  });
});

describe('truncated paths are marked', () => {
  test('a path of 4,095 bytes is complete', async () => {
    const line = await record('longest', dir);
    assert.equal(Buffer.byteLength(line.object), 4095);
    assertPaths(line, line.object);
    assert.ok(line.object.startsWith(dir) && line.object.endsWith('d/noop'));
    assert.deepEqual(flagsOf(line), []);
  });

  test('a deeper working directory is truncated', async () => {
    const line = await record('too-deep', dir);
    const flags = flagsOf(line);
    for (const what of ['object.truncated', 'executable.path_truncated']) {
      assert.ok(flags.includes(`vcml.${what}`), what);
    }
    assert.ok(flags.includes('vcml.process.working_directory_truncated'));
    assert.ok(Buffer.byteLength(line.object) <= 4096 + 16);
  });
});

test('the journal of all this has no findings', async () => {
  await agent.stop();
  agent.records();
  assert.deepEqual(judge(agent.journal.lines).findings, []);
});
