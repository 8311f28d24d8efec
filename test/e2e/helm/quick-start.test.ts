import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT } from '../../support/paths.ts';
import { AGENT_IMAGE, AGENT_IMAGES } from '../agent-image.ts';
import { Cluster } from '../cluster.ts';
import { run } from '../network.ts';
import { CHART, Release, set } from './release.ts';

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
await cluster.importImages(AGENT_IMAGES);
const release = new Release(cluster, 'helm');

test('the commands of the README lead to a first chain', async (t) => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, commands] = /```bash\n(image=[^`]*)```/.exec(readme) ?? [];
  assert.ok(commands, 'the README has the commands');
  // This cluster differs from others in its folders, and its image has another name.
  const prelude = [`helm() { command helm "$@" ${set([]).join(' ')}; }`, 'set -euo pipefail'];
  const pasted = commands
    .replace('image=vcml-agent:dev', `image=${AGENT_IMAGE}`)
    .replace('helm/vcml-agent ', `${CHART} `);
  assert.ok(pasted.includes(AGENT_IMAGE) && pasted.includes(CHART));
  const began = performance.now();
  const output = await run(['bash', '-c', [...prelude, pasted].join('\n')]);
  t.diagnostic(`${((performance.now() - began) / 1000).toFixed(0)} s`);
  t.diagnostic(output);
  assert.doesNotMatch(output, /^failed /m);
  assert.match(output, /^ok +hook /m);
  assert.match(output, /vcml-agent --version {2}← sh\[\d+\]$/m);
  // The last command leads to the runtime that started the exec.
  assert.match(output, /runc/);
  await release.uninstall();
});
