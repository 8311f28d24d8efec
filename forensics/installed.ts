import { extname, join } from 'node:path';

// The bundle of the package has this file as deep as the sources have it.
const FORENSICS = import.meta.dirname;

/** The package.json of this program. */
export const MANIFEST = join(FORENSICS, '../package.json');
/** The folder with what `make build` makes: pages and WebAssembly. */
export const BUILT = join(FORENSICS, '../build');
/** The script of the threads that read files. */
export const WORKER = join(FORENSICS, `exec-lines/worker${extname(import.meta.filename)}`);
