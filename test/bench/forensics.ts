// The reader's figures: node test/bench/forensics.ts [RECORDS], on a machine that does nothing else.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateJournal } from '../forensics/generate.ts';
import { type Figure, figureRow } from './budgets.ts';
import { table } from './table.ts';

const BIN = join(import.meta.dirname, '../../bin/vcml');
const MILLION = 1_000_000;
const ROUNDS = 3;
const WATCH_MS = 10;

interface Run {
  readonly seconds: number;
  readonly mebibytes: number;
}

/** Audit and chain over a generated journal: the best time and the most memory of three runs each. */
export async function measureForensics(
  records: number,
  tell: (text: string) => void,
): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'vcml-bench-'));
  try {
    tell(`writing a journal of ${records} records`);
    const journal = join(directory, 'journal');
    const { bytes, last } = generateJournal(journal, records);
    const size = `${records} records, ${(bytes / 1e6).toFixed(0)} MB`;
    const budgets: { audit?: number; chain?: number } =
      records <= MILLION ? { audit: 3, chain: 1.5 } : {};
    const memory = records <= MILLION ? 1024 : 4096;
    return [
      ...(await figuresOf('audit', ['audit', journal])),
      ...(await figuresOf('chain', ['chain', last, journal])),
    ];

    async function figuresOf(name: 'audit' | 'chain', args: readonly string[]): Promise<Figure[]> {
      tell(`vcml ${name}`);
      const runs: Run[] = [];
      for (let round = 0; round < ROUNDS; round += 1) runs.push(await run(args));
      const value = Math.min(...runs.map(({ seconds }) => seconds));
      const most = Math.max(...runs.map(({ mebibytes }) => mebibytes));
      const budget = budgets[name];
      return [
        {
          what: `vcml ${name}`,
          value,
          unit: 's',
          more: size,
          ...(budget === undefined ? {} : { budget }),
        },
        { what: `vcml ${name}, memory`, value: most, unit: 'MiB', digits: 0, budget: memory },
      ];
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** One run as a shell sees it, with Node's and DuckDB's start. */
async function run(args: readonly string[]): Promise<Run> {
  const began = performance.now();
  const child = spawn(BIN, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  let kibibytes = 0;
  const watch = setInterval(() => {
    kibibytes = Math.max(kibibytes, mostMemory(child.pid ?? 0));
  }, WATCH_MS);
  const [code] = await once(child, 'exit');
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`vcml ${args[0]} ended with ${code}`);
  return { seconds, mebibytes: kibibytes / 1024 };
}

/** The most that a process has had so far (KiB); 0 when it has ended. */
function mostMemory(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

if (import.meta.main) {
  const tell = (text: string) => process.stderr.write(`… ${text}\n`);
  const figures = await measureForensics(Number(process.argv[2] ?? MILLION), tell);
  const head = ['what', 'measured', 'budget', 'verdict', 'more'];
  process.stdout.write(`${table([head, ...figures.map(figureRow)])}\n`);
}
