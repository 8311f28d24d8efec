/** Renders the chart's examples and the plain manifests: node helm/render.ts HELM */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const CHART = join(import.meta.dirname, 'vcml-agent');
const EXAMPLES = join(CHART, 'examples');
const MANIFESTS = join(import.meta.dirname, '../deploy/manifests');

/** A file to render, and the values that it is rendered from. */
export const RENDERED: readonly { readonly file: string; readonly values: string | undefined }[] = [
  { file: join(MANIFESTS, 'vcml-agent.yaml'), values: undefined },
  ...readdirSync(EXAMPLES).map((name) => ({
    file: join(EXAMPLES, name, 'rendered.yaml'),
    values: join(EXAMPLES, name, 'values.yaml'),
  })),
];

/** Returns the chart's manifests as the program `helm` renders them; Helm 3 and 4 give the same. */
export function render(helm: string, values: string | undefined): string {
  const args = ['template', 'vcml-agent', CHART, '--namespace=vcml-agent', '--kube-version=1.36.0'];
  const given = values === undefined ? ['--skip-tests'] : [`--values=${values}`];
  const text = execFileSync(helm, [...args, ...given], { encoding: 'utf8', stdio: 'pipe' });
  return `# Rendered from helm/vcml-agent: make manifests.\n${text.replaceAll(/\n+---\n/g, '\n---\n').trimEnd()}\n`;
}

if (import.meta.main) {
  const [, , helm] = process.argv;
  if (helm === undefined || !existsSync(helm)) throw new Error('usage: node helm/render.ts HELM');
  for (const { file, values } of RENDERED) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, render(helm, values));
  }
}
