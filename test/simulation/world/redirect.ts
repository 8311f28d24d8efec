/**
 * Lets the agent's files, as they are, see a simulated machine: their clocks and timers, their file
 * system, the addon, the connection to the collector, and what they print. SIMULATION_MUTANT names a planted
 * fault, which is in the files then.
 */

import { registerHooks } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ROOT } from '../../support/paths.ts';
import { mutated } from '../mutants/mutant.ts';
import { MUTANTS } from '../mutants/mutants.ts';
import { GLOBALS } from './globals.ts';

const KEY = 'vcml.simulation';
const ROOMS = /^(agent|record|redact)\//;
/** On the first line, so that lines keep their numbers. */
const PRELUDE = `const { ${Object.keys(GLOBALS).join(', ')} } = globalThis[Symbol.for('${KEY}')]; `;

/** In minutes, no machine has as many lines as the agent keeps in memory for the collector. */
const RESIZED = {
  name: 'the memory for lines',
  file: 'agent/export/journal-export.ts',
  before: 'new RecentLines(journal.end, RECENT_BYTES)',
  after: 'new RecentLines(journal.end, Math.min(RECENT_BYTES, recentBytes()))',
};

const REDIRECTED: readonly (readonly [specifier: RegExp, file: string])[] = [
  [/^node:fs$/, 'fs.ts'],
  [/^node:fs\/promises$/, 'promises.ts'],
  [/^node:timers\/promises$/, 'timers.ts'],
  [/^node:zlib$/, 'zlib.ts'],
  [/^node:module$/, 'addon.ts'],
  [/\/grpc-transport\.ts$/, 'transport.ts'],
  [/\/telemetry\/log\.ts$/, 'log.ts'],
  [/\/print\/output\.ts$/, 'output.ts'],
  [/\/proc\.ts$/, 'proc.ts'],
];

const mutant = MUTANTS.find(({ name }) => name === process.env.SIMULATION_MUTANT);
Object.assign(globalThis, { [Symbol.for(KEY)]: GLOBALS });

registerHooks({
  resolve(specifier, context, next) {
    if (!ROOMS.test(pathOf(context.parentURL))) return next(specifier, context);
    const found = REDIRECTED.find(([pattern]) => pattern.test(specifier));
    if (found === undefined) return next(specifier, context);
    return next(pathToFileURL(join(import.meta.dirname, found[1])).href, context);
  },
  load(url, context, next) {
    const loaded = next(url, context);
    const path = pathOf(url);
    if (!ROOMS.test(path) || !path.endsWith('.ts')) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
    const text = path === RESIZED.file ? mutated(source, RESIZED) : source;
    return {
      ...loaded,
      source: PRELUDE + (mutant?.file === path ? mutated(text, mutant) : text),
    };
  },
});

function pathOf(url = ''): string {
  return url.startsWith('file:') ? relative(ROOT, fileURLToPath(url)) : '';
}
