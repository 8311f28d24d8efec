/**
 * Writes the policies of this folder, from deploy/manifests; with --check, reports stale ones. With a
 * folder, it makes those of an installation: helm template … | node deploy/policies/generate.ts FOLDER
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { workloadAllowlist } from './allowlist.ts';
import type { DaemonSet, Part } from './pod-spec.ts';
import { gatekeeper, kyverno, validatingAdmissionPolicy } from './policies.ts';

const ROOT = join(import.meta.dirname, '../..');
/** A digest that no image has: whoever applies the files as they are admits nothing. */
const NO_DIGEST = `sha256:${'0'.repeat(64)}`;

/** Returns the files of the pack, by name, for a DaemonSet whose image has a digest. */
export function policyFiles(agent: DaemonSet): Readonly<Record<string, string>> {
  const { image } = agent.spec.template.spec.containers[0];
  if (!/@sha256:[0-9a-f]{64}$/.test(image))
    throw new Error(`the image ${image} has no digest; set image.digest`);
  return {
    'validating-admission-policy.yaml': yaml(validatingAdmissionPolicy(agent)),
    'kyverno.yaml': yaml(kyverno(agent)),
    'gatekeeper.yaml': yaml(gatekeeper(agent)),
    'gke-autopilot.yaml': yaml([workloadAllowlist(agent)]),
  };
}

/** Returns the agent's DaemonSet in rendered manifests. */
export function daemonSetIn(text: string): DaemonSet {
  const objects = parseAllDocuments(text).map((document) => document.toJS());
  const agent = objects.find((one) => one?.kind === 'DaemonSet');
  if (agent === undefined) throw new Error('there is no DaemonSet');
  return agent;
}

/** Returns the DaemonSet of deploy/manifests, with a digest that no image has. */
export function plainDaemonSet(): DaemonSet {
  const text = readFileSync(join(ROOT, 'deploy/manifests/vcml-agent.yaml'), 'utf8');
  return daemonSetIn(text.replace(/(image: vcml-agent):\S+/, `$1@${NO_DIGEST}`));
}

function yaml(objects: readonly Part[]): string {
  const head = '# Generated from deploy/manifests: make generate. README.md says what to set.\n';
  const options = { lineWidth: 0, aliasDuplicateObjects: false };
  return head + objects.map((one) => stringify(one, options)).join('---\n');
}

if (import.meta.main) {
  const [, , argument = ''] = process.argv;
  const isCheck = argument === '--check';
  const folder = isCheck || argument === '' ? import.meta.dirname : argument;
  const agent =
    folder === import.meta.dirname ? plainDaemonSet() : daemonSetIn(readFileSync(0, 'utf8'));
  if (!isCheck) mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(policyFiles(agent))) {
    const path = join(folder, name);
    if (!isCheck) writeFileSync(path, text);
    else if (readFileSync(path, 'utf8') !== text) {
      process.stderr.write(`${relative(ROOT, path)} is stale: make generate\n`);
      process.exitCode = 1;
    }
  }
}
