import type { Memory } from '../bed/memory.ts';
import type { Figure } from '../budgets.ts';
import { memoryFigure } from '../memory-figure.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { decimal, spreadText, table } from '../table.ts';
import { AGENT, AGENT_EXPORTING, AGENT_LONG, EXECSNOOP, type StormRun } from './storms.ts';

const MIB = 2 ** 20;

/** The summary of all rounds of one variant; ratios are computed within each round. */
export interface VariantSummary {
  readonly variant: string;
  readonly execsPerSecond: Spread;
  /** The slow-down in percent, compared with the same storm with nothing attached. */
  readonly slowDown: Spread;
  readonly cpuMicrosPerExec: Spread;
  readonly timesExecsnoop: Spread;
  /** The sum of all rounds. */
  readonly lost: number;
  readonly reported: number;
  /** The maximum of all rounds. */
  readonly memory: Memory | undefined;
}

/** Returns the medians and ranges of each variant, in the order of the first round. */
export function summarize(runs: readonly StormRun[]): VariantSummary[] {
  const variants = [...new Set(runs.map(({ variant }) => variant))];
  return variants.map((variant) => {
    const own = runs.filter((run) => run.variant === variant);
    const same = (name: string, { round }: StormRun) =>
      runs.find((run) => run.variant === name && run.round === round);
    const rate = (run: StormRun | undefined) => run?.execsPerSecond ?? Number.NaN;
    const cpu = (run: StormRun | undefined) => run?.cpuMicrosPerExec ?? Number.NaN;
    const memories = own.flatMap(({ memory }) => memory ?? []);
    return {
      variant,
      execsPerSecond: spreadOf(own.map(rate)),
      slowDown: spreadOf(own.map((run) => (1 - rate(run) / rate(same(run.baseline, run))) * 100)),
      cpuMicrosPerExec: spreadOf(own.map(cpu)),
      timesExecsnoop: spreadOf(own.map((run) => cpu(run) / cpu(same(EXECSNOOP, run)))),
      lost: own.reduce((sum, { lost = 0 }) => sum + lost, 0),
      reported: own.reduce((sum, { reported }) => sum + reported, 0),
      memory: memories.length > 0 ? mostOf(memories) : undefined,
    };
  });
}

/** Formats the table of the storms. */
export function stormTable(summaries: readonly VariantSummary[]): string {
  const head = ['with the storm', 'execs/s', 'slower by %', 'CPU µs/exec', '× execsnoop'];
  const more = ['lost (reported)', 'own MiB', 'working set', 'peak RSS without ring'];
  return table([
    [...head, ...more],
    ...summaries.map((summary) => [
      summary.variant,
      spreadText(summary.execsPerSecond, 0),
      spreadText(summary.slowDown),
      ...(summary.memory ? watcherCells(summary, summary.memory) : ['–', '–', '–', '–', '–', '–']),
    ]),
  ]);
}

function watcherCells(summary: VariantSummary, memory: Memory): string[] {
  return [
    spreadText(summary.cpuMicrosPerExec),
    spreadText(summary.timesExecsnoop, 2),
    `${summary.lost} (${summary.reported})`,
    decimal(memory.anonymous / MIB),
    decimal(memory.workingSet / MIB),
    decimal(memory.residentPeak / MIB),
  ];
}

/** Returns the figures of the storms with their budgets. */
export function stormFigures(summaries: readonly VariantSummary[]): Figure[] {
  const agent = summaries.find(({ variant }) => variant === AGENT);
  const long = summaries.find(({ variant }) => variant === AGENT_LONG);
  const exporting = summaries.find(({ variant }) => variant === AGENT_EXPORTING);
  if (agent === undefined || long === undefined || exporting === undefined) return [];
  return [
    {
      what: 'CPU per exec, journal only, × execsnoop',
      value: agent.timesExecsnoop.median,
      unit: '×',
      digits: 2,
      budget: 0.5,
      more: spreadText(agent.timesExecsnoop, 2),
    },
    {
      what: 'CPU per exec, exporting, × execsnoop',
      value: exporting.timesExecsnoop.median,
      unit: '×',
      digits: 2,
      budget: 1.5,
      more: `${spreadText(exporting.timesExecsnoop, 2)}; the goal is 1.0`,
    },
    { what: 'lost in the storm', value: agent.lost, unit: 'records', digits: 0, budget: 0 },
    {
      what: 'lost in the storm, 8 KiB of arguments',
      value: long.lost,
      unit: 'records',
      digits: 0,
      budget: 0,
    },
    {
      what: 'slow-down of the storm',
      value: agent.slowDown.median,
      unit: '%',
      budget: 10,
      more: `${spreadText(agent.slowDown)}; the goal is 5 %`,
    },
    ...memoryFigures('own memory in the storm, peak', agent, 70),
    ...memoryFigures('own memory in the storm, peak, exporting', exporting, 85),
    ...memoryFigures('own memory in the storm, peak, 8 KiB of arguments', long, 70),
  ];
}

function memoryFigures(what: string, { memory }: VariantSummary, budget: number): Figure[] {
  return memory === undefined ? [] : [{ ...memoryFigure(what, memory), budget }];
}

function mostOf(memories: readonly Memory[]): Memory {
  const most = (name: keyof Memory) => Math.max(...memories.map((memory) => memory[name]));
  return {
    anonymous: most('anonymous'),
    workingSet: most('workingSet'),
    residentPeak: most('residentPeak'),
  };
}
