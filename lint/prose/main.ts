/** Checks the language and the links of Markdown files: node lint/prose/main.ts FILE... */
import { readFileSync } from 'node:fs';
import { lint } from './lint.ts';

for (const path of process.argv.slice(2))
  for (const finding of await lint(readFileSync(path, 'utf8'), path)) {
    console.error(`${path}:${finding}`);
    process.exitCode = 1;
  }
