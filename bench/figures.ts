import { measureBytes } from './agent/bytes.ts';
import { measureCheckpoints } from './agent/checkpoints.ts';
import { measureCrowd } from './agent/crowd.ts';
import { measureIdle } from './agent/idle.ts';
import { measureKernel, measureQuiet } from './agent/kernel.ts';
import { measureLatency } from './agent/latency.ts';
import { measureStages } from './agent/stages.ts';
import { measureStarts } from './agent/start.ts';
import type { Bed } from './bed/bed.ts';
import type { Figure } from './budgets.ts';
import { measureEncoders } from './export/encoders.ts';
import { measureCatchUp, measureExportLatency } from './export/export.ts';
import { measureOutage } from './export/outage.ts';
import { growthPerHour, measureSoak } from './export/soak.ts';
import {
  measureForensics,
  measureForensicsLarge,
  measureForensicsRecorded,
} from './forensics/forensics.ts';
import { memoryFigure } from './memory-figure.ts';
import { canRunNode, measureNode } from './pods/node.ts';
import { measurePods } from './pods/pods.ts';
import { quantile, spreadOf } from './statistics.ts';
import { measureStoreInsert } from './store/insert.ts';
import { measureStore } from './store/store.ts';
import { measureAgainst } from './storms/against.ts';
import { measureEnvironment } from './storms/environment.ts';
import { measureGrowth } from './storms/growth.ts';
import { decimal, spreadText } from './table.ts';

const BACKLOG = 1_000_000;

/** The figures that are measured in addition to the storms, in order and by name. */
export async function measureFigures(
  bed: Bed,
  isWanted: (name: string) => boolean,
  report: (text: string) => void,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  const measures = {
    start,
    latency,
    kernel,
    idle,
    bytes,
    checkpoints: measureCheckpoints,
    export: exporting,
    encoder,
    stages: measureStages,
    environment: measureEnvironment,
    pods,
    node,
    soak,
    outage,
    crowd,
    forensics: measureForensics,
    'forensics-recorded': measureForensicsRecorded,
    'forensics-large': measureForensicsLarge,
    store: measureStore,
    'store-insert': measureStoreInsert,
    against: measureAgainst,
    growth: measureGrowth,
  };
  for (const [name, measure] of Object.entries(measures)) {
    if (!isWanted(name)) continue;
    report(name);
    figures.push(...(await measure(bed, report)));
  }
  return figures;
}

async function start(bed: Bed): Promise<Figure[]> {
  const starts = spreadOf(await measureStarts(bed));
  const what = 'start to hook attached and journal.start on disk';
  return [
    { what, value: starts.median, unit: 'ms', digits: 0, budget: 400, more: spreadText(starts, 0) },
  ];
}

async function latency(bed: Bed): Promise<Figure[]> {
  const found = await measureLatency(bed);
  const what = 'exec to line on disk';
  const more = `${found.length} execs, at most ${decimal(quantile(found, 1))} ms`;
  return [
    { what: `${what}, p50`, value: quantile(found, 0.5), unit: 'ms' },
    { what: `${what}, p99`, value: quantile(found, 0.99), unit: 'ms', budget: 100, more },
  ];
}

async function kernel(bed: Bed): Promise<Figure[]> {
  const { programs, mapBytes } = await measureKernel(bed);
  const costs = Object.entries(programs);
  return [
    {
      what: 'in the kernel per fork + exec + exit',
      value: costs.reduce((sum, [, nanoseconds]) => sum + nanoseconds, 0) / 1000,
      unit: 'µs',
      digits: 2,
      budget: 3,
      more: costs.map(([name, ns]) => `${name} ${decimal(ns, 0)} ns`).join(', '),
    },
    {
      what: 'kernel maps, ring and table',
      value: mapBytes / 2 ** 20,
      unit: 'MiB',
      more: 'charged to the agent’s memory cgroup, and so in its working set',
    },
    await quiet(bed),
  ];
}

async function quiet(bed: Bed): Promise<Figure> {
  const costs = Object.entries((await measureQuiet(bed)).programs);
  return {
    what: 'the longest of the programs in quiet times',
    value: Math.max(...costs.map(([, nanoseconds]) => nanoseconds)) / 1000,
    unit: 'µs',
    digits: 2,
    budget: 1,
    more: costs.map(([name, ns]) => `${name} ${decimal(ns, 0)} ns`).join(', '),
  };
}

/** Computes the growth from the second fifth on, when all caches are full. */
async function soak(bed: Bed, report: (text: string) => void): Promise<Figure[]> {
  const { looks, seconds, containers, restarts, segments, execs, records, losses, isExported } =
    await measureSoak(bed, report);
  const later = looks.slice(Math.floor(looks.length / 5));
  const memory = spreadOf(later.map(({ bytes }) => bytes / 2 ** 20));
  const what = `a soak of ${bed.soakSeconds} s`;
  return [
    {
      what: `${what}: growth of memory in an hour`,
      value: growthPerHour(later),
      unit: 'MiB',
      budget: 5,
      more: `RssAnon ${spreadText(memory)}`,
    },
    {
      what: `${what}: execs without a record`,
      value: execs - records,
      unit: 'execs',
      digits: 0,
      budget: 0,
      more: `of ${execs}, ${decimal(execs / seconds, 0)} a second, in ${containers} containers and ${segments} segments; ${losses} are reported`,
    },
    {
      what: `${what}: exports that are not finished`,
      value: isExported ? 0 : 1,
      unit: '',
      digits: 0,
      budget: 0,
      more: `the collector was restarted ${restarts} times`,
    },
  ];
}

async function outage(bed: Bed): Promise<Figure[]> {
  const { backMs, made, came } = await measureOutage(bed);
  const what = `a collector away for ${bed.outageSeconds} s`;
  return [
    { what: `${what}: its first records`, value: backMs, unit: 'ms', digits: 0, budget: 2000 },
    {
      what: `${what}: records that did not come`,
      value: made - came,
      unit: 'records',
      digits: 0,
      budget: 0,
      more: `of ${made}`,
    },
  ];
}

async function crowd(bed: Bed): Promise<Figure[]> {
  const { processes, bytes, untracked, linked } = await measureCrowd(bed);
  return [
    {
      what: `memory with ${processes} processes`,
      value: bytes / 2 ** 20,
      unit: 'MiB',
      more: `RssAnon; ${untracked} gaps untracked; the last one’s child ${linked ? 'is' : 'is not'} linked`,
    },
  ];
}

async function pods(bed: Bed): Promise<Figure[]> {
  const { containers, micros, timesHost, execs, lost, nameless } = await measurePods(bed);
  const where = `in ${containers} containers of pods`;
  const more = `${spreadText(timesHost, 2)}; ${spreadText(micros)} µs`;
  return [
    {
      what: `CPU per exec ${where}, × on the host`,
      value: timesHost.median,
      unit: '×',
      digits: 2,
      more,
    },
    { what: `lost ${where}`, value: lost, unit: 'records', digits: 0, budget: 0 },
    {
      what: `records ${where} that do not name it`,
      value: nameless,
      unit: 'records',
      digits: 0,
      budget: 0,
      more: `of ${execs}`,
    },
  ];
}

async function node(bed: Bed, report: (text: string) => void): Promise<Figure[]> {
  if (!canRunNode()) {
    report('node: skipped, because the components of Kubernetes are missing; make e2e builds them');
    return [];
  }
  const run = await measureNode(bed);
  const where = `on a node with ${run.pods} pods`;
  const inside = `in ${run.storms} of ${run.pods} pods`;
  const none = { unit: 'records', digits: 0, budget: 0 };
  return [
    { ...memoryFigure(`the bundle’s own memory at rest ${where}`, run.atRest), budget: 50 },
    memoryFigure(`the bundle’s own memory at rest after storms ${where}`, run.afterStorms),
    {
      what: `CPU per exec ${inside}, × on the host`,
      value: run.timesHost.median,
      unit: '×',
      digits: 2,
      more: `${spreadText(run.timesHost, 2)}; ${spreadText(run.micros)} µs`,
    },
    { what: `lost ${inside}`, value: run.lost, ...none, more: `of ${run.execs}` },
    { what: `records ${inside} without its metadata`, value: run.incomplete, ...none },
  ];
}

async function idle(bed: Bed): Promise<Figure[]> {
  const { percentOfCore, wakeUpsPerSecond, records } = await measureIdle(bed);
  return [
    {
      what: 'idle',
      value: percentOfCore,
      unit: '% of a core',
      digits: 3,
      budget: 0.2,
      more: `${decimal(wakeUpsPerSecond, 2)} wake-ups/s; ${records} records came meanwhile`,
    },
  ];
}

async function bytes(bed: Bed): Promise<Figure[]> {
  const { raw, compressed } = await measureBytes(bed);
  const what = 'bytes per record of the storm';
  return [
    { what: `${what}, raw`, value: raw, unit: 'B', digits: 0 },
    {
      what: `${what}, compressed`,
      value: compressed,
      unit: 'B',
      digits: 0,
      more: `1/${decimal(raw / compressed, 0)}; records much like each other`,
    },
  ];
}

async function exporting(bed: Bed): Promise<Figure[]> {
  const found = await measureExportLatency(bed);
  const more = `${found.length} execs, at most ${decimal(quantile(found, 1))} ms`;
  const { records, seconds, cpuSeconds, early, peak } = await measureCatchUp(bed, BACKLOG);
  const cpu = decimal((cpuSeconds * 1e6) / records);
  return [
    { what: 'exec to collector, p50', value: quantile(found, 0.5), unit: 'ms' },
    { what: 'exec to collector, p99', value: quantile(found, 0.99), unit: 'ms', more },
    {
      what: `catch-up from a backlog of ${records} records`,
      value: (seconds * 1e6) / records,
      unit: 'µs a record',
      more: `${decimal(records / seconds, 0)} a second; ${cpu} µs of CPU a record`,
    },
    {
      what: 'memory that grows during the catch-up',
      value: (peak - early) / 2 ** 20,
      unit: 'MiB',
      more: `peak resident ${decimal(peak / 2 ** 20)} MiB`,
    },
  ];
}

async function encoder(): Promise<Figure[]> {
  const { ours, stock, stockAlone, ratio } = await measureEncoders();
  const micros = `${spreadText(ours)} and ${spreadText(stock)} µs`;
  return [
    {
      what: 'CPU from a line to OTLP, × the stock serializer',
      value: ratio.median,
      unit: '×',
      digits: 2,
      budget: 0.6,
      more: `${spreadText(ratio, 2)}; ${micros}, of which the serializer alone ${spreadText(stockAlone)}`,
    },
  ];
}
