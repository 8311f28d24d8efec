import type { CgroupMode } from './boot.ts';
import type { Report } from './report.ts';

/** The result of one boot. */
export interface Run {
  readonly kernel: string;
  readonly mode: CgroupMode;
  readonly lockdown: string | undefined;
  /** The duration of the boot. */
  readonly seconds: number;
  readonly report: Report;
}

/** Formats the results as tables for docs/kernels.md. */
export function formatRuns(runs: readonly Run[]): string {
  return `${formatResults(runs)}\n${formatInstructions(runs)}`;
}

function formatResults(runs: readonly Run[]): string {
  const rows = runs.map(({ kernel, mode, lockdown = '–', seconds, report }) => {
    const { release, passed, problems } = report;
    return [kernel, release, mode, lockdown, passed.length, problems.length, seconds].map(String);
  });
  return formatTable(
    ['kernel', 'release', 'cgroup', 'lockdown', 'passed', 'problems', 'seconds'],
    rows,
  );
}

/** Formats the instructions of the guests that reported them. */
function formatInstructions(runs: readonly Run[]): string {
  const told = runs.filter(({ report }) => report.verified.size > 0);
  const kernels = new Map(told.map(({ kernel, report }) => [kernel, report.verified]));
  const programs = new Set([...kernels.values()].flatMap((counts) => [...counts.keys()]));
  const rows = [...programs].map((program) => [
    `\`${program}\``,
    ...[...kernels.values()].map((counts) => counts.get(program)?.toLocaleString('en') ?? ''),
  ]);
  return formatTable(['program', ...kernels.keys()], rows);
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map(() => '---');
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
