// Builds the page of `vcml serve`. Usage: node forensics/serve/page/build.ts FOLDER
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../../report/bundle.ts';

const PAGE = import.meta.dirname;

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('usage: node forensics/serve/page/build.ts FOLDER');
mkdirSync(folder, { recursive: true });
for (const name of ['page.html', 'favicon.svg']) copyFileSync(join(PAGE, name), join(folder, name));
writeFileSync(join(folder, 'page.css'), bundle(join(PAGE, 'main.css')));
writeFileSync(join(folder, 'page.js'), bundle(join(PAGE, 'main.ts')));
