import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of package.json, above this file in the sources and in the bundle. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The agent's version, from package.json. */
export const VERSION: string = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')).version;
