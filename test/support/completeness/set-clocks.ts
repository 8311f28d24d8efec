/** Journals of nodes whose clocks are set back and forward, by seed, and what is true of them. */

import { type Draft, exec, HOOK, loss, start } from '../../check/craft.ts';
import { withheld } from '../../forensics/craft.ts';

const SECOND = 1_000_000_000;
const HOUR_S = 3600;
/** The wall clock at the arming, in Unix seconds: 2025-11-24T16:16:40Z. */
const ARMED_S = 1_764_001_000;

/** What became of an exec. */
type Fate = 'kept' | 'lost' | 'unreported' | 'withheld';

/** An exec that the kernel has numbered. */
export interface Numbered {
  readonly cpu: number;
  readonly seq: number;
  /** since the arming, and by the wall clock of the node, in seconds */
  readonly at: number;
  readonly wall: number;
  readonly fate: Fate;
}

/** Numbers of a CPU that the agent has reported, and when by the wall clock, in seconds. */
export interface Report {
  readonly kind: 'lost' | 'withheld';
  readonly cpu: number;
  readonly numbers: readonly number[];
  readonly wall: number;
}

/** What happened on a node. */
export interface Life {
  readonly node: string;
  readonly execs: readonly Numbered[];
  readonly reports: readonly Report[];
  /** undefined: no start is in the journal */
  readonly start: { readonly wall: number } | undefined;
  readonly records: readonly Draft[];
}

/** Returns the same numbers from 0 to below 1 for a seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Returns the life of a node; without `anywhere`, its clock is set only between two records of one CPU. */
export function lifeOf(n: number, anywhere: boolean): Life {
  const random = randomFrom(7919 * n + 17);
  const below = (most: number) => Math.floor(random() * most);
  const [cpus, count] = [anywhere ? 1 + below(2) : 1, 12 + below(30)];
  // On some nodes, everything is withheld, or lost.
  const all = ([undefined, undefined, undefined, undefined, 'withheld', 'lost'] as const)[below(6)];
  const only = anywhere ? all : undefined;
  const execs: Numbered[] = [];
  const seqs = [0, 0];
  let [at, offset, fate]: [number, number, Fate] = [10, ARMED_S, 'kept'];
  const setsAt = new Set([below(count), below(count), below(count)]);
  for (let k = 0; k < count; k += 1) {
    const cpu = below(cpus);
    const isSet = setsAt.has(k) && (anywhere || fate === 'kept');
    if (isSet) offset += below(6 * HOUR_S) - 3 * HOUR_S;
    at += 1 + below(random() < 0.5 ? 60 : HOUR_S);
    const isNext = random() < 0.4;
    if (!isNext)
      fate = (['kept', 'kept', 'lost', 'unreported', 'withheld'] as const)[below(5)] ?? 'kept';
    if (isSet && !anywhere) fate = 'kept';
    const seq = (seqs[cpu] ?? 0) + 1;
    seqs[cpu] = seq;
    execs.push({ cpu, seq, at, wall: at + offset, fate: only ?? fate });
  }
  const reports = [...new Set(execs.map(({ cpu }) => cpu))].flatMap((cpu) =>
    reportsOf(execs.filter((one) => one.cpu === cpu)),
  );
  const started = random() < 0.7 ? { wall: ARMED_S } : undefined;
  const life = { node: `node-${n}`, execs, reports, start: started };
  return { ...life, records: recordsOf(n, life) };
}

/** A loss is reported before the next exec, and what is withheld with the last of two ranges. */
function reportsOf(execs: readonly Numbered[]): Report[] {
  const reports: Report[] = [];
  const runs: Numbered[][] = [];
  for (const one of execs)
    if (runs.at(-1)?.at(-1)?.fate === one.fate) runs.at(-1)?.push(one);
    else runs.push([one]);
  let pending: number[] = [];
  for (const [place, run] of runs.entries()) {
    const [{ cpu, fate } = { cpu: 0, fate: 'kept' }, last] = [run[0], run.at(-1)];
    const numbers = run.map(({ seq }) => seq);
    const next = runs[place + 1]?.[0];
    if (fate === 'lost')
      reports.push({ kind: 'lost', cpu, numbers, wall: (next ?? last)?.wall ?? 0 });
    if (fate !== 'withheld') continue;
    pending = [...pending, ...numbers];
    const isLast = !runs.slice(place + 1).some(([one]) => one?.fate === 'withheld');
    if (!isLast && place % 3 === 0) continue;
    reports.push({ kind: 'withheld', cpu, numbers: pending, wall: last?.wall ?? 0 });
    pending = [];
  }
  return reports;
}

function recordsOf(n: number, { node, execs, reports, start: started }: Omit<Life, 'records'>) {
  // No two nodes have an id in common.
  const own = (at: number) => at * SECOND + n * 1000;
  const records: Draft[] = [];
  const add = (record: Draft, wall: number, more = {}) => {
    record.timestamp = BigInt(wall) * BigInt(SECOND);
    record.resource['host.name'] = node;
    Object.assign(record.attributes, more);
    records.push(record);
  };
  if (started !== undefined) add(start([1, 1], 'attached', n * 1000 + 1), started.wall);
  for (const { cpu, seq, at, wall, fate } of execs)
    if (fate === 'kept') add(exec(own(at), 1000 + cpu, cpu, seq), wall);
  for (const [place, { kind, cpu, numbers, wall }] of reports.entries()) {
    const ranges = numbers
      .filter((number) => !numbers.includes(number - 1))
      .map((first) => {
        let last = first;
        while (numbers.includes(last + 1)) last += 1;
        return [first, last] as const;
      });
    const at = own(execs.find(({ seq }) => seq === numbers.at(-1))?.at ?? 1) + 1 + place;
    if (kind === 'lost')
      for (const [first, last] of ranges) add(loss(at, 1, cpu, first, last), wall);
    else {
      const record = withheld(
        cpu,
        ranges.map(([first, last]) => `${first}-${last}`),
      );
      record.id = `${String(record.id).slice(0, 24)}${n.toString(16).padStart(6, '0')}${place.toString(16).padStart(6, '0')}`;
      add(record, wall, { 'vcml.boot_time': String(HOOK + BigInt(at)) });
    }
  }
  return records;
}
