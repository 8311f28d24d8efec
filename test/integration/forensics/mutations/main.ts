/** `make audit-mutants`: runs `vcml audit` on every changed journal, and prints what is found by kind. */

import { committed } from './choose.ts';
import { KINDS } from './kinds.ts';
import { type Verdict, verdicts } from './run.ts';

const all: Verdict[] = [];
for await (const verdict of verdicts(committed())) all.push(verdict);

console.log('| kind | change | found | by |\n|---|---|---|---|');
for (const [kind, says] of Object.entries(KINDS)) {
  const own = all.filter(({ mutation }) => mutation.kind === kind);
  const found = own.filter(({ codes }) => codes.length > 0);
  const codes = [...new Set(own.flatMap((one) => one.codes))].map((code) => `\`${code}\``);
  console.log(`| ${kind} | ${says} | ${found.length} of ${own.length} | ${codes.join(', ')} |`);
}
const found = all.filter(({ codes }) => codes.length > 0).length;
console.log(`\n${found} of ${all.length} mutations are found.`);
