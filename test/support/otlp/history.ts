import { deepEqual } from 'node:assert/strict';
import { isWithheld, numberOf, toldIn } from './withheld.ts';

/** What a collector received, and the journal that was exported to it. */
export interface History {
  /** The lines of the calls that it accepted, in their order. */
  readonly received: readonly string[];
  /** Every line that the journal has, or had before it was deleted for space. */
  readonly journal: readonly string[];
  /** Lines that may be missing: dead letters. */
  readonly excused?: Iterable<string>;
}

const SHOWN = 5;
const SHOWN_CHARACTERS = 300;

/**
 * Finds where a history breaks the promise of the export: what the collector received is, without
 * repeats of an id, the journal, in order and byte for byte, but for execs that a `journal.withheld`
 * names; and none is both.
 */
export function judgeHistory({ received, journal, excused = [] }: History): string[] {
  const findings: string[] = [];
  const lines = new Map(journal.map((line) => [idOf(line), line]));
  if (lines.size < journal.length) findings.push('the journal has an id twice');
  const told = toldIn(received.filter(isWithheld));
  findings.push(...told.findings);
  const arrived = new Set<string>();
  for (const line of received) {
    if (isWithheld(line)) continue;
    const id = idOf(line);
    const original = lines.get(id);
    if (original === undefined) findings.push(`not in the journal: ${shown(line)}`);
    else if (original !== line) findings.push(`changed: ${shown(original)} became ${shown(line)}`);
    else arrived.add(id);
  }
  const pardoned = new Set(Array.from(excused, idOf));
  const unknown = new Set(told.numbers);
  for (const [id, line] of lines) {
    const number = numberOf(line) ?? '';
    unknown.delete(number);
    const isWithheld = told.numbers.has(number);
    if (arrived.has(id) && isWithheld) findings.push(`withheld, and here: ${shown(line)}`);
    if (!arrived.has(id) && !isWithheld && !pardoned.has(id))
      findings.push(`missing: ${shown(line)}`);
  }
  for (const number of unknown) findings.push(`withheld, and not in the journal: ${number}`);
  const expected = [...lines.keys()].filter((id) => arrived.has(id));
  for (const [n, id] of [...arrived].entries()) {
    if (expected[n] === id) continue;
    findings.push(`out of order: ${id} instead of ${expected[n]}`);
    break;
  }
  return findings;
}

/** Throws, and shows the first findings, unless a history keeps that promise. */
export function provesHistory(history: History): void {
  const findings = judgeHistory(history);
  deepEqual(findings.slice(0, SHOWN), [], `${findings.length} findings`);
}

function idOf(line: string): string {
  return /^\{"id":"([^"]*)"/.exec(line)?.[1] ?? line;
}

function shown(line = ''): string {
  return line.slice(0, SHOWN_CHARACTERS);
}
