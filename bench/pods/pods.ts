import { type Bed, startedAgent } from '../bed/bed.ts';
import { countLines } from '../bed/journal.ts';
import { cpuSeconds, settle } from '../bed/process.ts';
import { storm } from '../bed/storm.ts';
import { type Spread, spreadOf } from '../statistics.ts';
import { inTurns } from '../turns.ts';
import { type Containers, prepareContainers } from './containers.ts';

const ROUNDS = 3;
/** The number of containers, each with its own loop. */
const CONTAINERS = 20;

/** The figures of the agent during a storm in containers of pods and during one on the host. */
export interface PodStorms {
  readonly containers: number;
  /** The CPU time of the agent for an exec in a container. */
  readonly micros: Spread;
  /** The ratio to an exec on the host, within each round. */
  readonly timesHost: Spread;
  readonly execs: number;
  readonly lost: number;
  /** The records without the names of their pod. */
  readonly nameless: number;
}

/** Runs storms alternately on the host and in containers whose names are in the runtime's files. */
export async function measurePods(bed: Bed): Promise<PodStorms> {
  const containers = prepareContainers(bed, CONTAINERS);
  const inside = () => beside(bed, containers, containers.storm);
  const outside = () => beside(bed, containers, (seconds) => storm(bed, seconds));
  const rounds = await inTurns(Math.min(ROUNDS, bed.rounds), { inside, outside });
  const sum = (of: (run: Run) => number) => rounds.reduce((all, { inside }) => all + of(inside), 0);
  return {
    containers: CONTAINERS,
    micros: spreadOf(rounds.map(({ inside }) => inside.micros)),
    timesHost: spreadOf(rounds.map(({ inside, outside }) => inside.micros / outside.micros)),
    execs: sum(({ execs }) => execs),
    lost: sum(({ execs, records }) => execs - records),
    nameless: sum(({ nameless }) => nameless),
  };
}

interface Run {
  readonly micros: number;
  readonly execs: number;
  readonly records: number;
  readonly nameless: number;
}

async function beside(
  bed: Bed,
  { stateDir, noop }: Containers,
  storm: (seconds: number) => Promise<number>,
): Promise<Run> {
  const args = ['--journal-max-bytes', '64GiB', '--runtime-dirs', stateDir];
  const { agent, close } = await startedAgent(bed, ...args);
  const warmUp = await storm(bed.warmUpSeconds);
  await settle(agent.pid);
  const before = cpuSeconds(agent.pid);
  const execs = await storm(bed.seconds);
  await settle(agent.pid);
  const micros = ((cpuSeconds(agent.pid) - before) * 1e6) / execs;
  await agent.stop();
  const { journalDir } = agent;
  const records = await countLines(journalDir, `"object":"${noop}"`);
  const storms = await countLines(journalDir, '"object":"/storm"');
  const named = await countLines(journalDir, '"k8s.pod.name":"pod-');
  await close();
  return { micros, execs: warmUp + execs, records, nameless: records + storms - named };
}
