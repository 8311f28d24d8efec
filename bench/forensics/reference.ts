import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { VCML_BIN } from '../../test/support/paths.ts';
import type { Bed } from '../bed/bed.ts';
import { segments } from '../bed/journal.ts';
import type { Figure } from '../budgets.ts';
import { generateJournal } from './generate-journal.ts';

const RECORDS = 100_000;
/** One line of so many is damaged, with each kind of damage in turn. */
const EVERY = 1000;
const OUTPUT_MAX = 1 << 30;
const run = promisify(execFile);

/** The result of an auditor for a journal. */
interface Judgement {
  /** The findings as `code id`, for the rules that both auditors know. */
  readonly findings: ReadonlySet<string>;
  readonly seconds: number;
}

/**
 * Runs the vCML project's own auditor and ours over one file that has every finding of rules R1 to
 * R4. BENCH_VCML names a clone of github.com/safal207/Causal-Memory-Layer; without it, there are no
 * figures.
 */
export async function compareWithReference(
  bed: Bed,
  report: (text: string) => void,
): Promise<Figure[]> {
  const clone = process.env.BENCH_VCML;
  if (clone === undefined) {
    report('no BENCH_VCML: vCML’s own auditor is not compared');
    return [];
  }
  const file = await damagedJournal(bed);
  report('vCML’s own auditor');
  const theirs = await referenceJudgement(clone, file);
  report('vcml audit');
  const ours = await ownJudgement(file);
  const differing = theirs.findings.symmetricDifference(ours.findings);
  return [
    {
      what: `findings of vCML’s rules that differ from its own auditor’s`,
      value: differing.size,
      unit: '',
      digits: 0,
      budget: 0,
      more: `${theirs.findings.size} of ${RECORDS} records${differing.size > 0 ? `; ${[...differing].slice(0, 3)}` : ''}`,
    },
    {
      what: 'vcml audit, × vCML’s own auditor',
      value: ours.seconds / theirs.seconds,
      unit: '×',
      digits: 3,
      budget: 1,
      more: `${ours.seconds.toFixed(2)} s and ${theirs.seconds.toFixed(2)} s`,
    },
  ];
}

async function referenceJudgement(clone: string, file: string): Promise<Judgement> {
  const options = { env: { ...process.env, PYTHONPATH: clone }, maxBuffer: OUTPUT_MAX };
  const began = performance.now();
  const args = ['-m', 'cli.main', 'audit', '--format', 'json', file];
  const { stdout } = await run('python3', args, options);
  const seconds = (performance.now() - began) / 1000;
  const { findings } = JSON.parse(stdout);
  return { seconds, findings: byRule(findings, 'record_id') };
}

async function ownJudgement(file: string): Promise<Judgement> {
  const began = performance.now();
  const options = { maxBuffer: OUTPUT_MAX };
  const stdout = await run(VCML_BIN, ['audit', '--output', 'json', file], options).catch(
    (error) => {
      if (error.code !== 1) throw error;
      return error;
    },
  );
  const seconds = (performance.now() - began) / 1000;
  return { seconds, findings: byRule(JSON.parse(stdout.stdout), 'id') };
}

function byRule(findings: readonly Record<string, unknown>[], id: string): Set<string> {
  return new Set(
    findings
      .filter(({ code }) => /^CML-AUDIT-R[1-4]-/.test(String(code)))
      .map((finding) => `${finding.code} ${finding[id]}`),
  );
}

/** Writes a journal with damage that each of the four rules finds, and with near misses. */
async function damagedJournal(bed: Bed): Promise<string> {
  const directory = join(bed.directory, 'reference');
  await generateJournal(directory, RECORDS);
  const lines = segments(directory).flatMap((segment) =>
    readFileSync(segment, 'utf8').trimEnd().split('\n'),
  );
  const file = join(bed.directory, 'reference.jsonl');
  const damaged = lines.flatMap((line, at) =>
    at % EVERY === EVERY - 1 ? damage(line, at) : [line],
  );
  writeFileSync(file, damaged.map((line) => `${line}\n`).join(''));
  return file;
}

function damage(line: string, at: number): string[] {
  const [, id = ''] = /"id":"([^"]*)"/.exec(line) ?? [];
  const changed = (why: string, cause: string) =>
    line.replace(
      /"permitted_by":"[^"]*","parent_cause":(null|"[^"]*")/,
      `"permitted_by":"${why}","parent_cause":${cause}`,
    );
  // A process touches a secret and then uses the network, because of `cause`.
  const sent = (cause: string) => [
    line,
    plain(line, `secret-${at}`, 'open', '/secrets/token', null),
    plain(line, `net-${at}`, 'connect', '192.0.2.1:443', cause),
  ];
  const damages = [
    () => [changed('parent_process_context', '"of-nothing"')],
    () => [changed('because', 'null')],
    () => [changed('root_event', 'null')],
    () => [changed('root_event:operator', 'null')],
    () => sent(id),
    () => sent(`secret-${at}`),
  ];
  return damages[Math.floor(at / EVERY) % damages.length]?.() ?? [];
}

/** Makes a record of the vCML reference, by the same process at the same time. */
function plain(line: string, id: string, action: string, object: string, cause: string | null) {
  const [, timestamp, pid] = /"timestamp":(\d+),"actor":\{"pid":(\d+)/.exec(line) ?? [];
  const why = cause === null ? 'root_event:operator' : 'parent_process_context';
  const rest = JSON.stringify({ action, object, permitted_by: why, parent_cause: cause }).slice(1);
  return `{"id":"${id}","timestamp":${timestamp},"actor":{"pid":${pid},"uid":0},${rest}`;
}
