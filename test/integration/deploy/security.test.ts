import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { plainDaemonSet } from '../../../deploy/policies/generate.ts';
import { ROOT } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const FOLDER = join(ROOT, 'deploy/security');
const PROFILE = readFileSync(join(FOLDER, 'apparmor-vcml-agent'), 'utf8');
const MODULE = readFileSync(join(FOLDER, 'vcml_agent.te'), 'utf8');
const CONTEXTS = readFileSync(join(FOLDER, 'vcml_agent.fc'), 'utf8');
/** The features of a kernel with AppArmor, so that the parser needs none. */
const FEATURES = '/etc/apparmor.d/abi/3.0';

const { spec } = plainDaemonSet().spec.template;
const [AGENT] = spec.containers;
/** What the chart adds by default, and what kernels before 5.11 need. */
const CAPABILITIES = [...(AGENT.securityContext.capabilities?.add ?? []), 'SYS_RESOURCE']
  .map((name) => name.toLowerCase())
  .toSorted();

/** Compiles a profile without a kernel. */
function apparmor(text: string, ...options: readonly string[]) {
  const features = [`--kernel-features=${FEATURES}`, `--policy-features=${FEATURES}`];
  const args = ['--skip-kernel-load', '--skip-cache', ...features, ...options];
  return spawnSync('/usr/sbin/apparmor_parser', args, { input: text });
}

/** Compiles a module and packs it with the labels of its files. */
function selinux(text: string) {
  const folder = temporaryFolder();
  const file = (ending: string) => join(folder, `vcml_agent.${ending}`);
  writeFileSync(file('te'), text);
  writeFileSync(file('fc'), CONTEXTS);
  const compiled = spawnSync('checkmodule', ['-M', '-m', '-o', file('mod'), file('te')], {
    encoding: 'utf8',
  });
  if (compiled.status !== 0) return compiled;
  const args = ['-o', file('pp'), '-m', file('mod'), '-f', file('fc')];
  return spawnSync('semodule_package', args, { encoding: 'utf8' });
}

/** A rule about files: `/path rights,`. */
const RULES = [...PROFILE.matchAll(/^ {2}((?:\/|@\{PROC\})\S*) ([a-z]+),$/gm)].map(
  ([, glob = '', rights = '']) => ({ glob, rights, matches: pattern(glob) }),
);

/** Returns the form of the paths that a glob of AppArmor matches. */
function pattern(glob: string): RegExp {
  const body = glob
    .replaceAll('@{PROC}', '/proc')
    .replaceAll('.', '\\.')
    .replaceAll('**', '\u0000')
    .replaceAll('*', '[^/]*')
    .replaceAll('\u0000', '.+')
    .replace(/\{([^}]*)\}/g, (_, words: string) => `(?:${words.replaceAll(',', '|')})`);
  return new RegExp(`^${body}$`);
}

function rightsOn(path: string): string {
  return RULES.filter(({ matches }) => matches.test(path))
    .map(({ rights }) => rights)
    .join('');
}

test('AppArmor’s parser compiles the profile, which is called vcml-agent', () => {
  equal(apparmor(PROFILE, '--names').stdout.toString(), 'vcml-agent\n');
  const { status, stdout, stderr } = apparmor(PROFILE, '--stdout');
  equal(status, 0, stderr.toString());
  ok(stdout.length > 1000);
});

test('AppArmor’s parser refuses a profile with a word that it does not know', () => {
  const { status } = apparmor(PROFILE.replace('capability bpf,', 'capability bpff,'), '--stdout');
  equal(status, 1);
});

test('the profile has the capabilities of the chart, and no rule without an object', () => {
  const named = [...PROFILE.matchAll(/^ {2}capability (\w+),$/gm)].map(([, name]) => name);
  deepEqual(named.toSorted(), CAPABILITIES);
  for (const rule of [
    'capability',
    'file',
    'network',
    'mount',
    'pivot_root',
    'change_profile',
    'unix',
  ])
    ok(!new RegExp(`^ {2}${rule},$`, 'm').test(PROFILE), rule);
});

test('the profile lets the agent read each mount of its pod, and write those that may be written', () => {
  for (const { name, mountPath, readOnly } of AGENT.volumeMounts) {
    const isFile = spec.volumes.some((one) => one.name === name && one.hostPath?.type === 'File');
    const rights = rightsOn(isFile ? mountPath : `${mountPath}/a/b`);
    ok(rights.includes('r'), mountPath);
    equal(rights.includes('w'), readOnly !== true, mountPath);
  }
});

test('the profile lets the agent write nowhere else, and execute only what starts it', () => {
  const written = RULES.filter(({ rights }) => rights.includes('w')).map(({ glob }) => glob);
  deepEqual(written, [
    '/dev/{null,zero,full,random,urandom}',
    '/sys/fs/bpf/**',
    '/var/lib/vcml-agent/',
    '/var/lib/vcml-agent/**',
    '/var/lib/kubelet/pods-api/pods-api.sock',
  ]);
  for (const path of ['/bin/bash', '/usr/bin/env', '/var/lib/vcml-agent/x', '/proc/1/exe'])
    ok(!rightsOn(path).includes('x'), path);
  for (const path of ['/bin/sh', '/usr/bin/readlink', '/opt/vcml-agent/bin/vcml-agent'])
    ok(rightsOn(path).includes('ix'), path);
  for (const path of ['/run/containerd/containerd.sock', '/etc/shadow', '/proc/1/mem'])
    ok(!rightsOn(path).includes('w'), path);
});

test('the compilers of SELinux accept the module and the labels of its files', () => {
  const { status, stderr } = selinux(MODULE);
  equal(status, 0, stderr);
});

test('the compiler of SELinux refuses a permission that nobody has', () => {
  const { status, stderr } = selinux(MODULE.replace('prog_load prog_run };\n', 'prog_fly };\n'));
  equal(status, 1);
  match(stderr, /prog_fly|prog_load/);
});

test('the module has the capabilities of the chart', () => {
  const rules = [
    ...MODULE.matchAll(/^allow vcml_agent_t self:capability2? (?:\{ )?([\w ]+?)(?: \})?;$/gm),
  ];
  const named = rules.flatMap(([, names = '']) => names.split(' '));
  deepEqual(named.toSorted(), CAPABILITIES);
});

test('the module lets the agent write its pins and its journal only', () => {
  const rules = [...MODULE.matchAll(/allow vcml_agent_t (\w+):(?:dir|file|lnk_file) \{([^}]*)\}/g)];
  const written = rules.filter(([, , rights = '']) =>
    /\b(write|append|create|unlink)\b/.test(rights),
  );
  deepEqual([...new Set(written.map(([, type]) => type))], ['bpf_t', 'vcml_agent_var_lib_t']);
});

test('the folder of the journal has the label of the module', () => {
  const journal = spec.volumes.find(({ name }) => name === 'journal')?.hostPath?.path;
  match(
    CONTEXTS,
    new RegExp(`^${journal}\\(/\\.\\*\\)\\?\\s+\\w+:\\w+:vcml_agent_var_lib_t:s0$`, 'm'),
  );
});
