/** Checks the language of files, and the links of Markdown files: node lint/prose/main.ts FILE... */
import { readFileSync } from 'node:fs';
import { lint } from './lint.ts';
import { lintSource } from './lint-source.ts';

for (const path of process.argv.slice(2)) {
  const text = readFileSync(path, 'utf8');
  const findings = path.endsWith('.md') ? await lint(text, path) : lintSource(text);
  for (const finding of findings) {
    console.error(`${path}:${finding}`);
    process.exitCode = 1;
  }
}
