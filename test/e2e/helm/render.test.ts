import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { RENDERED, render } from '../../../helm/render.ts';
import { ROOT } from '../../support/paths.ts';

const CHART = join(ROOT, 'helm/vcml-agent');
const BIN = process.env.KUBE_BIN ?? join(ROOT, 'build/e2e/bin');

/** Values that are refused, and the message. */
const REFUSED: readonly (readonly [values: string, said: RegExp])[] = [
  ['image.tga=1', /'?tga'? (is )?not allowed/],
  ['nonsense=1', /'?nonsense'? (is )?not allowed/],
  ['config.ringsize=64MiB', /'?ringsize'? (is )?not allowed/],
  ['config.nodeName=a', /'?nodeName'? (is )?not allowed/],
  ['collector.image.digset=a', /'?digset'? (is )?not allowed/],
  ['config.metadata=api', /config.metadata/],
  ['config.quietAfter=15', /config.quietAfter/],
  ['config.ringSize=32MB', /config.ringSize/],
  ['config.ringSize=33MiB', /config.ringSize/],
  ['image.digest=sha256:1', /image.digest/],
  ['telemetry.port=0', /telemetry.port/],
  ['collector.enabled=true,config.exportEndpoint=a:1', /there is only one receiver of records/],
  ['podMonitor.enabled=true,telemetry.enabled=false', /nothing to scrape/],
  ['podMonitor.enabled=true', /name the pods of Prometheus there/],
  ['probePort=9469', /probes have a listener of their own/],
  ['serviceAccount.create=false', /name an existing account/],
  ['updateStrategy.rollingUpdate.maxSurge=1', /second agent on a node/],
  ['resources.limits.memory=128Mi', /the maps in the kernel use 84Mi/],
  ['resources.limits.memory=1Gi,config.ringSize=1GiB', /the maps in the kernel use 1076Mi/],
  ['runtime.type=none,config.metadata=none', /name no pod/],
  ['runtime.type=none,runtime.dir=/run/x', /set runtime.type to the runtime/],
  ['runtime.dir=/run/k3s/containerd', /contains the runtime's socket/],
  ['config.exportTokenFile=/etc/vcml-agent/secrets/a/b', /does not list the Secret a;/],
  ['config.onExit=keep,config.journalOnUninstall=delete', /no agent would detect an uninstall/],
  ['config.exportClientCertificate=/a', /config.exportClientKey is not; set both/],
];

for (const name of ['helm', 'helm3']) {
  const helm = join(BIN, name);

  test(`${name}: the examples and the plain manifests are up to date`, () => {
    for (const { file, values } of RENDERED) {
      const [kept, fresh] = [readFileSync(file, 'utf8'), render(helm, values)];
      // Helm 3 folds some texts at other places.
      deepEqual(objectsOf(kept), objectsOf(fresh), relative(ROOT, file));
      if (name === 'helm') ok(kept === fresh, `${relative(ROOT, file)} is stale: make manifests`);
    }
  });

  test(`${name}: lint finds nothing`, () => {
    execFileSync(helm, ['lint', '--strict', CHART], { stdio: 'pipe' });
  });

  for (const [values, said] of REFUSED)
    test(`${name}: refuses ${values}`, () => {
      const args = ['template', 'vcml-agent', CHART, `--set=${values}`];
      const { status, stderr } = spawnSync(helm, args, { encoding: 'utf8' });
      equal(status, 1);
      match(stderr, said);
    });
}

function objectsOf(text: string): unknown[] {
  return parseAllDocuments(text).map((document) => document.toJS());
}
