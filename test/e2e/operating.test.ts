import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VERSION } from '../../agent/version.ts';
import { ROOT } from '../support/paths.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { Cluster } from './cluster.ts';
import { Release, SETTINGS } from './helm/release.ts';
import { BUILD } from './images.ts';
import { makeRelease, nextSource } from './made-release.ts';
import { inNetwork, run } from './network.ts';

/** The registry of the page. */
const REGISTRY = 'registry.example/vcml';
/** What the first chain may take from the begin of `helm install` on. */
const FIRST_CHAIN_SECONDS = 120;

const NEXT_VERSION = VERSION.replace(/\d+$/, (patch) => `${Number(patch) + 1}`);
/** The versions of this checkout and of the one after it, in the place of those on the page. */
const TOLD: Readonly<Record<string, string>> = { '0.2.0': VERSION, '0.2.1': NEXT_VERSION };

/** A command of the page, the time in seconds at which it began, and what it printed. */
interface Step {
  readonly at: number;
  readonly command: string;
  readonly output: string;
}

test('the day of docs/operating.md: verify, install by digest, check, first chain, upgrade, uninstall', async (t) => {
  const folder = temporaryFolder(t);
  const cluster = await Cluster.start();
  t.after(() => cluster[Symbol.asyncDispose]());
  const registry = `${await startRegistry(t, inNetwork)}/vcml`;
  const key = join(folder, 'release.pem');
  writeKeys(key, join(folder, 'cosign.pub'));
  const next = nextSource(join(folder, 'next'), NEXT_VERSION);
  for (const source of [ROOT, next])
    await run([
      process.execPath,
      join(source, 'deploy/release/push.ts'),
      makeRelease(source, join(folder, source === ROOT ? 'first' : 'second')),
      registry,
      key,
    ]);

  const page = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8');
  const commands = commandsIn(page);
  const steps = await play(commands, registry, folder);
  const transcript = steps.map(({ command, output }) => `$ ${command}\n${output}`).join('');
  writeFileSync(join(BUILD, 'e2e/operating.txt'), transcript.replaceAll(registry, REGISTRY));
  const find = (part: string) =>
    steps.find(({ command }) => command.includes(part)) ?? assert.fail(part);

  assert.match(find('make verify-release').output, /^verified \S+@sha256:/m);
  assert.match(find('get pods').output, /@sha256:[0-9a-f]{64}$/m);
  const checked = find('status --check').output;
  assert.match(checked, /^ok +hook .*: recording/m);
  assert.doesNotMatch(checked, /^failed/m);
  assert.match(find('helm -n vcml-agent test').output, /Phase: +Succeeded/);
  const chain = find('kubectl vcml chain');
  assert.match(chain.output, /vcml-agent --version/);
  assert.match(chain.output, /the chain ends here: predates_hook: containerd/);
  const seconds = chain.at - find('helm -n vcml-agent install').at;
  t.diagnostic(`${seconds} s from helm install to the first chain`);
  assert.ok(seconds < FIRST_CHAIN_SECONDS);
  const runs = find('journal').output;
  assert.match(runs, new RegExp(`hook upgraded, vcml-agent ${NEXT_VERSION}$`, 'm'));
  assert.doesNotMatch(runs, /journal\.loss/);
  assert.match(steps.at(-1)?.output ?? '', /No such file or directory/);
  await new Release(cluster, 'helm').assertGone([]);
});

/** Returns the commands of the day, without their answers. */
function commandsIn(page: string): string[] {
  const [, day = ''] = page.split('\n## A day, as it was played\n');
  return Array.from(day.matchAll(/^ {4}\$ ((?:.*\\\n)*.*)$/gm), ([, command = '']) =>
    command.replaceAll(/^ {4}/gm, ''),
  );
}

/** Runs the commands in one shell, as a person does. Only the last may fail: it finds no hook any more. */
async function play(
  commands: readonly string[],
  registry: string,
  folder: string,
): Promise<Step[]> {
  const given = ['--plain-http', ...SETTINGS.map((value) => `--set=${value}`)].join(' ');
  const prelude = `
    set -euo pipefail
    unset MAKEFLAGS MAKELEVEL
    cd ${folder}
    PATH=${ROOT}/bin:$PATH
    make() { command make --no-print-directory --directory=${ROOT} "$@"; }
    helm() {
      case " $* " in *' install '* | *' upgrade '*) set -- "$@" ${given} ;; esac
      command helm "$@"
    }
  `;
  const played = commands
    .map((command) => command.replaceAll(REGISTRY, registry))
    .map((command) => command.replaceAll(/0\.2\.[01]/g, (told) => TOLD[told] ?? told))
    .map((command) => command.replaceAll('cosign.pub', join(folder, 'cosign.pub')))
    .map(
      (command, at) =>
        `printf '\\0%s\\n' "$SECONDS ${at}"\n{ ${command}\n} 2>&1 || [[ ${at} = ${commands.length - 1} ]]\n`,
    );
  const output = await run(['bash', '-c', [prelude, ...played].join('\n')]);
  return output
    .split('\0')
    .slice(1)
    .map((text) => {
      const [, at, number, rest = ''] = /^(\d+) (\d+)\n(.*)$/s.exec(text) ?? [];
      return { at: Number(at), command: commands[Number(number)] ?? '', output: rest };
    });
}

function writeKeys(privateFile: string, publicFile: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(privateFile, privateKey);
  writeFileSync(publicFile, publicKey);
}
