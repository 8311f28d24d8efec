import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { statusText } from '../../../agent/commands/status.ts';
import { type Status, statusOf } from '../../../agent/commands/status-of.ts';
import { loadConfig } from '../../../agent/config/load.ts';
import { OPTIONS } from '../../../agent/config/options.ts';
import type { Config } from '../../../agent/config/schema.ts';
import { readContainerState } from '../../../agent/enrich/runtimes/runtimes.ts';
import { AgentError } from '../../../agent/errors.ts';
import { readCursor } from '../../../agent/export/read/cursor.ts';
import { Deletions } from '../../../agent/journal/archive/deletions.ts';
import { loadRunOptions } from '../../../agent/run/run-options.ts';
import { ancestorOf, loadSnapshot } from '../../../agent/source/ancestors.ts';
import { STATE } from './journal-targets.ts';
import type { Target } from './target.ts';

const KEYS = new Set(OPTIONS.map(({ key }) => key));
const ID = '0123456789abcdef'.repeat(4);
const VARIABLES = ['REQUEST_ID'];

/** A state.json with what a terminal would obey in each string. */
const HOSTILE_STATE = JSON.stringify(JSON.parse(STATE), (_, value) =>
  typeof value === 'string' ? `${value}\u001b[2J\u009b31m\u202e\u2066` : value,
);

/** What is kept in files besides the journal; each target has a folder of its own below `dir`. */
export function stateTargets(dir: string): readonly Target[] {
  return [
    configuration(dir),
    status(dir),
    ancestors(dir),
    cursor(dir),
    deletions(dir),
    runOptions(dir),
    bundle(dir),
  ];
}

function configuration(dir: string): Target {
  const file = join(dir, 'config.yaml');
  return {
    name: 'configuration',
    property: 'a file is refused as CONFIGURATION_INVALID, or has only options and is used',
    seeds: [
      '# a\njournalDir: /a\nringSize: 64MiB\nquietAfter: 15m\nredactNames: [gate, "door-code"]\n',
      'redactPatterns:\n  - acme_[A-Za-z0-9]{20,}\nnodeName: &n node-1\nprint: none\nsync: *n\n',
      'telemetryAddress: 127.0.0.1:9469\nendpoint: https://h:4317\nlogLevel: |\n  info\n',
      '__proto__: {ringSize: 1MiB}\n',
      '<<: {print: none}\n? [a]\n: !!set {b}\nconstructor: 1\n',
      '{compressionLevel: -7, tableEntries: 0x10, metadata: none, arguments: "full"}',
    ],
    async check(input) {
      writeFileSync(file, input);
      try {
        const { config } = await loadConfig({ flags: {}, env: {}, file });
        assert.equal(typeof config.ringSize, 'number');
      } catch (error) {
        if (error instanceof AgentError && error.code === 'CONFIGURATION_INVALID') return;
        throw error;
      }
      for (const key of Object.keys(parse(input.toString()) ?? {})) assert.ok(KEYS.has(key), key);
    },
  };
}

function status(dir: string): Target {
  const folder = folderIn(dir, 'status');
  const config = { journalDir: folder, pinDir: join(folder, 'none') } as Config;
  return {
    name: 'status',
    property: 'any state.json gives a status without anything that controls a terminal',
    seeds: [STATE, HOSTILE_STATE, '{"state":1}'],
    check(input) {
      writeFileSync(join(folder, 'state.json'), input);
      const text = statusText(statusOf(config) as Status, Date.now());
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{C}\u2028\u2029]/u);
      assert.ok(readFileSync(join(folder, 'state.json')).equals(input));
    },
  };
}

function ancestors(dir: string): Target {
  const file = join(dir, 'ancestors.json');
  return {
    name: 'ancestors',
    property: 'any ancestors.json gives names or nothing',
    seeds: ['{"hookId":"5","snapshot":{"1":[10,"init","/sbin/init"],"42":[10],"7":[10,"a"]}}'],
    check(input) {
      writeFileSync(file, input);
      const snapshot = loadSnapshot(file, '5');
      for (const pid of [1, 7, 42]) {
        const found = ancestorOf(snapshot, pid, { seconds: 0, nanos: 100_000_000 });
        for (const name of Object.values(found ?? {})) assert.equal(typeof name, 'string');
      }
    },
  };
}

function cursor(dir: string): Target {
  const folder = folderIn(dir, 'cursor');
  return {
    name: 'cursor',
    property: 'any export-cursor.json gives a position or nothing',
    seeds: ['{"segment":3,"offset":1234}\n'],
    check(input) {
      writeFileSync(join(folder, 'export-cursor.json'), input);
      const { segment, offset } = readCursor(folder) ?? { segment: 0, offset: 0 };
      for (const count of [segment, offset]) assert.ok(Number.isSafeInteger(count) && count >= 0);
    },
  };
}

function deletions(dir: string): Target {
  const folder = folderIn(dir, 'deletions');
  const file = join(folder, 'deletions.json');
  const segment = join(folder, '00000000000000000009.jsonl');
  const run = '{"hookId":"5","cpu":0,"firstSeq":1,"lastSeq":4,"count":4}';
  return {
    name: 'deletions',
    property: 'any deletions.json is refused with its remedy, or gives ranges to record',
    seeds: [
      `[{"segment":1,"since":{"segment":2,"offset":0},"runs":[${run}]}]`,
      `[{"segment":1,"since":{"segment":1,"offset":9},"runs":[${run},${run.replace('0', '1')}]}]`,
      '[]',
    ],
    async check(input) {
      writeFileSync(file, input);
      writeFileSync(segment, 'x\n');
      try {
        const noted = new Deletions(folder, { segment: 9, offset: 2 });
        const left = await noted.resume(assert.ifError);
        const runs = left.flatMap(({ ranges }) => ranges);
        await noted.settle();
        for (const { count } of runs) assert.ok(Number.isSafeInteger(count) && count >= 0);
        assert.ok(existsSync(file) || runs.length === 0);
      } catch (error) {
        assert.match(`${error}`, /deletions\.json is damaged; remove it/);
        assert.ok(readFileSync(file).equals(input));
      } finally {
        rmSync(file, { force: true });
      }
    },
  };
}

function runOptions(dir: string): Target {
  const folder = folderIn(dir, 'run-options');
  return {
    name: 'run-options',
    property: 'any run-options.json is not known, is refused as CONFIGURATION_INVALID, or is used',
    seeds: [
      '{"hookId":"5","options":{"arguments":"full","segmentMaxAge":"1h"},"variables":{"OTEL_SERVICE_NAME":"a"}}',
      '{"hookId":"5","options":{"redactNames":["a","b"],"__proto__":{"sync":"never"}},"variables":{}}',
    ],
    async check(input) {
      writeFileSync(join(folder, 'run-options.json'), input);
      const run = loadRunOptions(folder, '5');
      if (run === undefined) return;
      for (const value of Object.values(run.variables)) assert.equal(typeof value, 'string');
      try {
        const kept = { options: run.options, origin: 'run-options.json' };
        const { config } = await loadConfig({ flags: {}, env: {}, file: undefined, kept });
        assert.ok(['redacted', 'full', 'none'].includes(config.arguments));
      } catch (error) {
        if (!(error instanceof AgentError && error.code === 'CONFIGURATION_INVALID')) throw error;
      }
    },
  };
}

function bundle(dir: string): Target {
  const containerd = `io.containerd.runtime.v2.task/k8s.io/${ID}`;
  const crio = `overlay-containers/${ID}/userdata`;
  const files = [
    `${containerd}/config.json`,
    `${crio}/config.json`,
    `containers/${ID}/config.v2.json`,
  ];
  const roots = files.map((file, index) => {
    const root = folderIn(dir, `bundle-${index}`);
    mkdirSync(join(root, file, '..'), { recursive: true });
    return root;
  });
  const secret = '"process":{"args":["secret"],"env":["T=secret","REQUEST_ID=secret"]}';
  const cri = (key: string, value: string) => `"io.kubernetes.cri.${key}":"${value}"`;
  const pod = '"io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.name":"cart-1"';
  return {
    name: 'bundle',
    property: 'any configuration of a bundle gives names and an image, and nothing else',
    seeds: [
      `{${secret},"annotations":{${cri('container-type', 'container')},${cri('sandbox-name', 'a')},` +
        `${cri('sandbox-namespace', 'b')},${cri('container-name', 'c')},${cri('image-name', 'd:1')}}}`,
      `{${secret},"annotations":{"io.kubernetes.cri-o.ContainerType":"container",${pod}}}`,
      `{"Name":"/k8s_a","Config":{"Image":"sha256:1","Labels":{"io.kubernetes.docker.type":"x",${pod}}}}`,
    ],
    async check(input) {
      for (const [index, root] of roots.entries()) {
        writeFileSync(join(root, files[index] ?? ''), input);
        const found = await readContainerState(ID, [root], VARIABLES);
        if (found === undefined) continue;
        const { runtime, sandbox, image = 'a', variables, ...names } = found;
        assert.match(runtime, /^(containerd|cri-o|docker|podman)$/);
        assert.equal(typeof sandbox, 'boolean');
        assert.ok(variables.every((name) => VARIABLES.includes(name)));
        assert.match(image, /^[\w.:/@+-]{1,512}$/);
        assert.deepEqual(Object.keys(names).sort(), ['name', 'podName', 'podNamespace', 'podUid']);
        for (const name of Object.values(names)) assert.match(name ?? 'a', /^[\w.-]{1,253}$/);
      }
    },
  };
}

function folderIn(dir: string, name: string): string {
  const folder = join(dir, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
