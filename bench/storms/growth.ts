import { writeFileSync } from 'node:fs';
import type { Bed } from '../bed/bed.ts';
import { runNanoseconds, settle } from '../bed/process.ts';
import { LOOPS, storm } from '../bed/storm.ts';
import type { Figure } from '../budgets.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { decimal, spreadText } from '../table.ts';
import { agent, exportingAgent, type Tool } from './tools.ts';

/** Execs a second; 0: as many as possible. */
const RATES = [100, 300, 1000, 3000, 10_000, 0];
const ROUNDS = 3;

/** What an exec costs at one rate. */
interface Point {
  /** execs a second, as they came */
  readonly rate: number;
  /** CPU time of the agent for an exec */
  readonly micros: Spread;
}

/**
 * Measures what an exec costs the agent at several rates. With BENCH_SVG=FILE, it also draws them.
 */
export async function measureGrowth(bed: Bed, report: (text: string) => void): Promise<Figure[]> {
  report('growth: journal only');
  const journal = await pointsOf(bed, await agent(bed));
  report('growth: exporting');
  const exporting = await pointsOf(bed, await exportingAgent(bed));
  const file = process.env.BENCH_SVG;
  if (file !== undefined) writeFileSync(file, plotOf({ journal, exporting }));
  return [
    ...journal.map((point) => figureOf('journal only', point)),
    ...exporting.map((point) => figureOf('exporting', point)),
  ];
}

async function pointsOf(bed: Bed, tool: Tool): Promise<Point[]> {
  const { pid } = tool;
  if (pid === undefined) throw new Error('no agent runs');
  const found = RATES.map(() => ({ rates: [] as number[], micros: [] as number[] }));
  await storm(bed, bed.warmUpSeconds);
  for (let round = 0; round < Math.min(ROUNDS, bed.rounds); round++)
    for (const [at, rate] of RATES.entries()) {
      await settle(pid);
      const before = runNanoseconds(pid);
      const execs = await storm(bed, bed.seconds, [], { STORM_RATE: `${rate / LOOPS}` });
      await settle(pid);
      found[at]?.rates.push(execs / bed.seconds);
      found[at]?.micros.push((runNanoseconds(pid) - before) / 1000 / execs);
    }
  await tool.stop();
  return found.map(({ rates, micros }) => ({
    rate: spreadOf(rates).median,
    micros: spreadOf(micros),
  }));
}

function figureOf(what: string, { rate, micros }: Point): Figure {
  return {
    what: `CPU per exec at ${decimal(rate, 0)} execs a second, ${what}`,
    value: micros.median,
    unit: 'µs',
    more: spreadText(micros),
  };
}

const [WIDTH, HEIGHT, MARGIN] = [640, 320, 48];
const COLORS = ['#2a6fdb', '#d9480f'];

/** Draws lines of points: rates on a logarithmic axis, and microseconds on a linear one. */
function plotOf(lines: Readonly<Record<string, readonly Point[]>>): string {
  const all = Object.values(lines).flat();
  const decades = [...new Set(all.map(({ rate }) => Math.floor(Math.log10(rate))))];
  const [from, to] = [Math.min(...decades), Math.max(...decades) + 1];
  const top = Math.ceil(Math.max(...all.map(({ micros }) => micros.max)) / 10) * 10;
  const x = (rate: number) =>
    MARGIN + ((Math.log10(rate) - from) / (to - from)) * (WIDTH - 2 * MARGIN);
  const y = (micros: number) => HEIGHT - MARGIN - (micros / top) * (HEIGHT - 2 * MARGIN);
  const text = (left: number, up: number, content: string, more = '') =>
    `<text x="${left.toFixed(1)}" y="${up.toFixed(1)}"${more}>${content}</text>`;
  const grid = [
    ...Array.from({ length: to - from + 1 }, (_, n) => 10 ** (from + n)).map((rate) =>
      text(x(rate), HEIGHT - MARGIN + 18, decimal(rate, 0), ' text-anchor="middle"'),
    ),
    ...[0, top / 2, top].map(
      (micros) =>
        `<path d="M${MARGIN} ${y(micros).toFixed(1)}H${WIDTH - MARGIN}" stroke="#ccc"/>` +
        text(MARGIN - 6, y(micros) + 4, `${micros}`, ' text-anchor="end"'),
    ),
    text(WIDTH / 2, HEIGHT - 8, 'execs a second', ' text-anchor="middle"'),
    text(MARGIN - 30, MARGIN - 16, 'µs of CPU an exec'),
  ];
  const drawn = Object.entries(lines).map(([name, points], at) => {
    const color = COLORS[at % COLORS.length];
    const path = points.map(
      ({ rate, micros }) => `${x(rate).toFixed(1)} ${y(micros.median).toFixed(1)}`,
    );
    const label = text(
      WIDTH - MARGIN,
      MARGIN + 18 * at,
      name,
      ` fill="${color}" text-anchor="end"`,
    );
    return `<path d="M${path.join('L')}" fill="none" stroke="${color}" stroke-width="2"/>${label}`;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `font-family="sans-serif" font-size="12">\n${[...grid, ...drawn].join('\n')}\n</svg>\n`
  );
}
