import { deepEqual, equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Folder, vcml } from '../../support/forensics.ts';
import { ROOT } from '../../support/paths.ts';

const folder = new Folder();
after(() => folder.close());

/** Runs a script in a shell; undefined if this machine does not have the shell. */
function run(shell: string, script: string): string | undefined {
  const { error, status, stdout, stderr } = spawnSync(shell, ['-c', script], { encoding: 'utf8' });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined;
  equal(status, 0, stderr);
  return stdout;
}

test('bash completes commands, their options, and values', async () => {
  const path = folder.write('bash', (await vcml('completion', 'bash')).stdout);
  const completed = (...words: string[]) =>
    run(
      'bash',
      `source ${path}; COMP_WORDS=(vcml ${words.map((word) => `'${word}'`).join(' ')});
       COMP_CWORD=${words.length}; _vcml; printf '%s\n' "\${COMPREPLY[@]}"`,
    )
      ?.trim()
      .split('\n');
  deepEqual(completed('ch'), ['chain']);
  deepEqual(completed('query', '--si'), ['--since']);
  deepEqual(completed('query', '--output', 'json'), ['json', 'jsonl']);
  deepEqual(completed('completion', 'f'), ['fish']);
  deepEqual(completed('audit', '--pod'), ['']);
});

test('zsh reads its completion', async (t) => {
  const path = folder.write('zsh', (await vcml('completion', 'zsh')).stdout);
  const said = run('zsh', `autoload -U compinit && compinit -D; source ${path}; whence -w _vcml`);
  if (said === undefined) t.skip('zsh is not installed');
  else match(said, /_vcml: function/);
});

test('fish completes commands, options, and values', async (t) => {
  const path = folder.write('fish', (await vcml('completion', 'fish')).stdout);
  const completed = (line: string) =>
    run('fish', `source ${path}; complete -C '${line}'`)
      ?.trim()
      .split('\n')
      .map((one) => one.split('\t')[0]);
  if (completed('vcml ch') === undefined) return t.skip('fish is not installed');
  deepEqual(completed('vcml ch'), ['chain']);
  deepEqual(completed('vcml query --sin'), ['--since']);
  deepEqual(completed('vcml query --output js'), ['json', 'jsonl']);
});

test('another shell is a wrong command line', async () => {
  const { code, stderr } = await vcml('completion', 'tcsh');
  equal(code, 64);
  match(stderr, /Allowed choices are bash, zsh, fish/);
});

test('the version is that of the package', async () => {
  const { code, stdout } = await vcml('--version');
  equal(code, 0);
  match(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
    new RegExp(`"version": "${stdout.trim()}"`),
  );
});
