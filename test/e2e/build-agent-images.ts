/**
 * Builds the agent's image as deploy/Dockerfile does, another one with a changed kernel side, and that
 * of the Collector. They contain this machine's libraries, so that no registry is needed.
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../support/paths.ts';
import {
  AGENT_IMAGE,
  AGENT_IMAGES,
  COLLECTOR_IMAGE,
  LAYERS,
  NEXT_TAG,
  REPOSITORY,
} from './agent-image.ts';
import { AGENT_CONFIG, HOME, putAgent } from './agent-layer.ts';
import { createLayer, writeArchive } from './images.ts';
import { BIN } from './network.ts';

const OBJECT = join(HOME, 'build/exec.bpf.o');

const agent = createLayer(LAYERS, 'agent');
putAgent(agent, ROOT);

const next = createLayer(LAYERS, 'next');
mkdirSync(dirname(join(next, OBJECT)), { recursive: true });
// This makes it another kernel side, because its content identifies it.
const added = `.comment.next=${join(ROOT, 'package.json')}`;
execFileSync('llvm-objcopy', ['--add-section', added, join(agent, OBJECT), join(next, OBJECT)]);

const collector = createLayer(LAYERS, 'otelcol');
copyFileSync(join(BIN, 'otelcol'), join(collector, 'otelcol'));

writeArchive(AGENT_IMAGES, [
  { tag: AGENT_IMAGE, layers: [agent], config: AGENT_CONFIG },
  { tag: `${REPOSITORY}:${NEXT_TAG}`, layers: [agent, next], config: AGENT_CONFIG },
  { tag: COLLECTOR_IMAGE, layers: [collector], config: { Entrypoint: ['/otelcol'] } },
]);
