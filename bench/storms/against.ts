import { resolve } from 'node:path';
import { AGENT_BIN } from '../../test/support/paths.ts';
import type { Bed } from '../bed/bed.ts';
import type { Figure } from '../budgets.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { spreadText } from '../table.ts';
import { inTurns } from '../turns.ts';
import { stormBeside, type WatchedStorm } from './storms.ts';
import { agent, exportingAgent, type Tool } from './tools.ts';

/** How this tree's agent does in a storm, compared with the agent of another tree. */
interface Comparison {
  /** ratios of the CPU time of an exec, and of the storm's rate, within each round */
  readonly cpu: Spread;
  readonly rate: Spread;
  readonly ours: Spread;
  readonly theirs: Spread;
  /** records that ours has lost */
  readonly lost: number;
}

/**
 * Runs storms beside this tree's agent and that of the tree in BENCH_AGAINST, in turns: absolute times
 * of two runs cannot be compared.
 */
export async function measureAgainst(bed: Bed, report: (text: string) => void): Promise<Figure[]> {
  const other = process.env.BENCH_AGAINST;
  if (other === undefined) throw new Error('BENCH_AGAINST must name another tree that is built');
  const theirs = resolve(other, 'bin/vcml-agent');
  const figures: Figure[] = [];
  for (const [what, start] of [
    ['journal only', (bin: string) => agent(bed, bin)],
    ['exporting', (bin: string) => exportingAgent(bed, bin)],
  ] as const) {
    report(`against ${other}: ${what}`);
    figures.push(...figuresOf(what, await compare(bed, theirs, start)));
  }
  return figures;
}

async function compare(
  bed: Bed,
  bin: string,
  start: (bin: string) => Promise<Tool>,
): Promise<Comparison> {
  const rounds = await inTurns(bed.rounds, {
    inside: async () => stormBeside(bed, await start(AGENT_BIN)),
    outside: async () => stormBeside(bed, await start(bin)),
  });
  const cpu = (one: WatchedStorm) => one.cpuMicrosPerExec ?? Number.NaN;
  return {
    cpu: spreadOf(rounds.map(({ inside, outside }) => cpu(inside) / cpu(outside))),
    rate: spreadOf(rounds.map((one) => one.inside.execsPerSecond / one.outside.execsPerSecond)),
    ours: spreadOf(rounds.map(({ inside }) => cpu(inside))),
    theirs: spreadOf(rounds.map(({ outside }) => cpu(outside))),
    lost: rounds.reduce((sum, { inside }) => sum + (inside.lost ?? 0), 0),
  };
}

function figuresOf(what: string, { cpu, rate, ours, theirs, lost }: Comparison): Figure[] {
  return [
    {
      what: `CPU per exec, ${what}, × the other tree's`,
      value: cpu.median,
      unit: '×',
      digits: 3,
      more: `${spreadText(cpu, 2)}; ${spreadText(ours)} and ${spreadText(theirs)} µs`,
    },
    {
      what: `rate of the storm, ${what}, × beside the other tree's`,
      value: rate.median,
      unit: '×',
      digits: 3,
      more: spreadText(rate, 2),
    },
    { what: `lost, ${what}`, value: lost, unit: 'records', digits: 0, budget: 0 },
  ];
}
