import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { packRecords, plainNumbers } from './pack.ts';
import type { InputSummary, Packed } from './packed.ts';

const PAGE = join(import.meta.dirname, 'page');

/**
 * A record as it is in its line, whatever it is: nothing is taken for granted. The timestamp is Unix
 * nanoseconds as a bigint or decimal string, since a double would round it.
 */
export type ReportRecord = Readonly<Record<string, unknown>>;

/** What a report shows; every string may come from an attacker. */
export interface ReportInput {
  readonly title: string;
  /** what was asked for, in words or as the command line's arguments */
  readonly selection: string;
  readonly generatedFrom: {
    readonly inputs: readonly InputSummary[];
    /** shown with the gaps: torn files, silent times, limits */
    readonly warnings?: readonly string[];
  };
  /** shown in this order: by time, a cause before its effects */
  readonly records: Iterable<ReportRecord>;
  /** by record id: what other sources say, such as the API server's audit log */
  readonly notes?: ReadonlyMap<string, readonly string[]>;
}

/**
 * The report as one HTML page that needs nothing else, and may load nothing else: its policy allows
 * its own script and style by their hashes and forbids the rest. What comes from records is in one
 * block of inert JSON.
 */
export function renderReport(input: ReportInput): string {
  const style = bundle(join(PAGE, 'main.css'));
  const script = bundle(join(PAGE, 'main.ts'));
  const data = inertJson(packInput(input));
  const parts: Readonly<Record<string, string>> = {
    policy: `<meta http-equiv="Content-Security-Policy" content="${policyFor(style, script)}">`,
    style: `<style>${style}</style>`,
    data: `<script type="application/json" id="data">${data}</script>`,
    script: `<script>${script}</script>`,
  };
  const template = readFileSync(join(PAGE, 'page.html'), 'utf8');
  return template.replaceAll(/<!--(\w+)-->/g, (_, name: string) => parts[name] ?? '');
}

function bundle(entry: string): string {
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    format: 'iife',
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'none',
    write: false,
  } as const);
  return outputFiles.map(({ text }) => text).join('');
}

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

function packInput({ title, selection, generatedFrom, records, notes }: ReportInput): Packed {
  return {
    title,
    selection,
    inputs: generatedFrom.inputs,
    warnings: generatedFrom.warnings ?? [],
    notes: [...(notes ?? [])],
    ...packRecords(records),
  };
}

/** What could end the block, or turn the text around for who reads the file in an editor. */
const UNSAFE = /[<>&\x7f-\x9f\u2028\u2029\p{Cf}]/gu;

/** JSON that is safe inside a script element. */
function inertJson(value: unknown): string {
  return JSON.stringify(value, plainNumbers).replaceAll(UNSAFE, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
