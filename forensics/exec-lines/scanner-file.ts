import { join } from 'node:path';

/** The WebAssembly that `make build` makes of scanner/. */
export const SCANNER = join(import.meta.dirname, '../../build/scanner.wasm');
