import { visible } from '../../record/visible.ts';
import { type Evidence, evidenceIn, refuseNothingCompared } from '../audit/checkpoints/evidence.ts';
import type { Witness } from '../audit/checkpoints/witness.ts';
import { clockFindings } from '../audit/clocks.ts';
import { CODES, type Code, type Severity } from '../audit/codes.ts';
import { type AuditConfig, DEFAULT_CONFIG, readAuditConfig } from '../audit/config.ts';
import { containerNameFindings } from '../audit/container-names.ts';
import { customFindings } from '../audit/custom-rules.ts';
import type { Finding } from '../audit/finding.ts';
import { hookFindings } from '../audit/hooks.ts';
import { indexFaults } from '../audit/indexes.ts';
import { journalRecordsOf } from '../audit/journal-records.ts';
import { linkFindings } from '../audit/links.ts';
import { lineFindings, loadAudited } from '../audit/load.ts';
import { lostCauseFindings } from '../audit/lost-causes.ts';
import { numberFindings } from '../audit/numbers.ts';
import { runFindings } from '../audit/runs.ts';
import { secretFindings } from '../audit/secrets.ts';
import { withheldIn } from '../audit/withheld.ts';
import { EXIT, ForensicsError } from '../errors.ts';
import type { Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { printRemarks } from '../output/notes.ts';
import { printTable } from '../output/rows.ts';
import { remark } from '../output/stderr.ts';
import { paint, print } from '../output/stdout.ts';
import { wrapped } from '../output/text.ts';

/** The options of `vcml audit`. */
export interface AuditOptions {
  readonly output: Form;
  /** how many findings of one code are printed for people */
  readonly limit: number;
  /** a file with what vCML's rules go by */
  readonly config?: string;
}

/** A finding with its place. */
export interface Placed {
  readonly code: string;
  readonly severity: Severity;
  readonly file: string;
  /** undefined: it is a row of a store */
  readonly line?: number;
  readonly id: string | null;
  readonly message: string;
}

/** Prints whether the records are sound, and returns the exit code that says so. */
export async function audit(
  journals: Journals,
  options: AuditOptions,
  witness?: Witness,
): Promise<number> {
  if (witness !== undefined) refuseNothingCompared(journals);
  const config = options.config === undefined ? undefined : readAuditConfig(options.config);
  const { findings: all, evidence } = await auditOf(journals, config, witness);
  const lines = journals.extents.reduce((sum, { count }) => sum + count, 0);
  const isNothing = lines === 0 && all.length === 0 && !journals.isPartial;
  if (isNothing) throw new ForensicsError('negative', 'there is no record to audit');
  const extent = `${lines} lines in ${journals.files.length} files`;
  const code = await printFindings(all, options, (isSound) => verdictOf(journals, isSound), extent);
  printRemarks(journals);
  for (const sentence of evidence.sentences) remark(visible(sentence));
  return code;
}

/** Prints findings, and then a verdict on what was audited; returns the exit code. */
export async function printFindings(
  all: readonly Placed[],
  { output, limit }: AuditOptions,
  verdict: (hasNoFindings: boolean) => string,
  extent: string,
): Promise<number> {
  const isSound = all.every(({ severity }) => severity === 'NOTE');
  if (output === 'text') {
    await printText(all, limit);
    const of = (severity: Severity) => all.filter((one) => one.severity === severity).length;
    const found = `${of('FAIL')} FAIL, ${of('WARN')} WARN, ${of('NOTE')} NOTE`;
    await print(`${verdict(isSound)}: ${extent}; ${found}\n`);
  } else {
    const columns = ['severity', 'code', 'file', 'line', 'id', 'message'] as const;
    const rows = all.map((finding) => columns.map((column) => finding[column] ?? null));
    await printTable({ columns, rows }, output);
  }
  return isSound ? 0 : EXIT.negative;
}

/** Returns all findings in the order of their places, and what the checkpoints show. */
export async function auditOf(
  journals: Journals,
  config: AuditConfig = DEFAULT_CONFIG,
  witness?: Witness,
): Promise<{ readonly findings: Placed[]; readonly evidence: Evidence }> {
  const inLines = await placed(journals, await findingsByRow(journals, config));
  const evidence = await evidenceIn(journals, witness);
  const ofTrees = evidence.findings.map(({ code, path, line, id = null, more }) => {
    const [severity, says] = CODES[code];
    const where = { file: path, ...(line !== undefined && { line }) };
    return { code, severity, ...where, id, message: `${says}; ${more}` };
  });
  return { findings: [...inLines, ...ofTrees], evidence };
}

async function findingsByRow(journals: Journals, config: AuditConfig): Promise<Finding[]> {
  const seen = await loadAudited(journals, config);
  const journalRecords = await journalRecordsOf(journals);
  const withheld = withheldIn(journalRecords);
  const numbers = await numberFindings(journals, journalRecords, withheld, seen);
  const findings = [
    ...(await lineFindings(journals, config)),
    ...withheld.findings,
    ...numbers.findings,
    ...(await linkFindings(journals, numbers, seen)),
    ...(await clockFindings(journals)),
    ...(await containerNameFindings(journals)),
    ...(await lostCauseFindings(journals, numbers.absent)),
    ...(await runFindings(journals, journalRecords, numbers)),
    ...(await hookFindings(journals, journalRecords)),
    ...(await secretFindings(journals, config)),
    ...(await customFindings(journals, config)),
  ];
  return findings
    .filter(({ code }) => !config.disabled.has(ruleOf(code)))
    .sort((a, b) => a.row - b.row);
}

/** The name of vCML's rule in its code, such as `R1`. */
function ruleOf(code: Code): string {
  return /^CML-AUDIT-(R\d)-/.exec(code)?.[1] ?? '';
}

async function placed(journals: Journals, findings: readonly Finding[]): Promise<Placed[]> {
  const byRow = Map.groupBy(findings, ({ row }) => row);
  const all: Placed[] = [];
  for await (const { row, file, line, text, whole } of journals.entries([...byRow.keys()])) {
    const id = idOf(text);
    const found = byRow.get(row) ?? [];
    byRow.delete(row);
    for (const finding of found) {
      const torn = finding.code === 'LINE_UNREADABLE' && !whole;
      const code = torn ? 'LINE_UNFINISHED' : finding.code;
      const [severity, says] = CODES[code];
      const message = finding.more === undefined ? says : `${says}; ${finding.more}`;
      const where = { file: file.path, line, id };
      const shown = { code: finding.shownCode ?? code, severity: finding.severity ?? severity };
      all.push({ ...shown, ...where, message });
    }
  }
  // A line in a file that cannot be decompressed has a known place and no text.
  for (const { code, row, more } of [...byRow.values()].flat()) {
    const [severity, says] = CODES[code];
    const { file, place } = journals.placeOf(row);
    const message = more === undefined ? says : `${says}; ${more}`;
    all.push({ code, severity, file: file.path, line: place + 1, id: null, message });
  }
  for (const { path: file, damage } of journals.files)
    for (const { line, why } of damage) {
      const code = 'FILE_DAMAGED';
      const [severity, says] = CODES[code];
      all.push({ code, severity, file, line, id: null, message: `${says}; ${why}` });
    }
  for (const { path, fault } of await indexFaults(journals.files)) {
    const code = 'INDEX_WRONG';
    const [severity, says] = CODES[code];
    all.push({ code, severity, file: path, line: 1, id: null, message: `${says}; ${fault}` });
  }
  return all;
}

/** The id as the line has it, even if the line cannot be read. */
function idOf(text: string): string | null {
  return /"id"\s*:\s*"([^"\\]{1,200})"/.exec(text)?.[1] ?? null;
}

async function printText(all: readonly Placed[], limit: number): Promise<void> {
  const shown = new Map<string, number>();
  for (const { code, severity, file, line, id, message } of all) {
    const count = (shown.get(code) ?? 0) + 1;
    shown.set(code, count);
    if (count > limit) continue;
    const mark =
      severity === 'NOTE'
        ? paint('dim', severity)
        : paint(severity === 'FAIL' ? 'bad' : 'gap', severity);
    const place = line === undefined ? '' : `:${line}`;
    await print(`${mark} ${code}  ${visible(file)}${place}\n`);
    await print(wrapped(visible(`${message}${id === null ? '' : ` (${id})`}`), '    '));
  }
  const more = [...shown].filter(([, count]) => count > limit);
  for (const [code, count] of more) await print(`… and ${count - limit} more ${code}\n`);
}

/** What could not be read cannot be sound. */
function verdictOf({ isPartial, problems }: Journals, hasNoFindings: boolean): string {
  if (!hasNoFindings) return paint('bad', 'findings');
  if (!isPartial) return 'sound';
  return paint('bad', `incomplete, because ${problems.length} inputs cannot be read`);
}
