import { join } from 'node:path';
import { BUILT } from '../installed.ts';

/** The WebAssembly that `make build` makes of scanner/. */
export const SCANNER = join(BUILT, 'scanner.wasm');
