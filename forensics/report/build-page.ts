// Builds the page of every report, with its script and style in it. Usage:
// node forensics/report/build-page.ts FILE
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle } from './bundle.ts';

const PAGE = join(import.meta.dirname, 'page');

const [, , file] = process.argv;
if (file === undefined) throw new Error('usage: node forensics/report/build-page.ts FILE');
const style = bundle(join(PAGE, 'main.css'));
const script = bundle(join(PAGE, 'main.ts'));
const parts = new Map([
  ['policy', `<meta http-equiv="Content-Security-Policy" content="${policyFor(style, script)}">`],
  ['style', `<style>${style}</style>`],
  ['script', `<script>${script}</script>`],
]);
const template = readFileSync(join(PAGE, 'page.html'), 'utf8');
const page = template.replaceAll(/<!--(\w+)-->/g, (all, name: string) => parts.get(name) ?? all);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, page);

/**
 * The page may use its own script and style, which the policy names by their hashes, and load
 * nothing else.
 */
function policyFor(style: string, script: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
