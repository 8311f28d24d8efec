import { copyFileSync, cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.ts';

/** Copies the agent to a new folder, without npm's packages; returns its executable. */
export function copyAgent(into: string): string {
  mkdirSync(join(into, 'build'), { recursive: true });
  for (const part of ['agent', 'record', 'redact', 'bin', 'package.json'])
    cpSync(join(ROOT, part), join(into, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(into, 'node_modules'));
  for (const built of ['vcml_hook.node', 'exec.bpf.o'])
    copyFileSync(join(ROOT, 'build', built), join(into, 'build', built));
  return join(into, 'bin/vcml-agent');
}
