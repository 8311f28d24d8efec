import {
  type Draft,
  draft,
  exec,
  HOOK,
  loss,
  OTHER_BOOT,
  start,
  stop,
  time,
} from '../../../check/craft.ts';
import { uuid5 } from '../../../check/uuid.ts';
import { lostGap } from '../../../forensics/craft.ts';
import { randomness } from './choose.ts';
import type { JournalName } from './kinds.ts';

/** A line of a sound journal before it has a number and an id. */
export interface Step {
  readonly action: 'exec' | 'start' | 'loss' | 'retention' | 'reboot' | 'stop';
  readonly at: number;
  readonly cpu: number;
  /** of an exec: its cause, or the loss that has its cause */
  readonly cause?: Step;
  /** of a loss: how many records; of a retention: up to which number */
  readonly count?: number;
  /** of a start or stop */
  readonly state?: string;
  readonly pod?: number;
}

const CPUS = 3;
const STEP_NS = 1_000_000;
/** A process begins so long before its exec, and behind the exec of its cause. */
const FORKED_NS = 100_000n;
/** The numbers with which a journal begins whose beginning is elsewhere. */
const MIDDLE = [40, 17, 8];
const STAGES = ['ring_buffer', 'quiet', 'decode'];
const STARTS = ['attached', 'resumed'];

/** Returns the steps of a journal; they are the same each time. */
export function stepsOf(name: JournalName): Step[] {
  const steps: Step[] = [];
  const random = randomness(name.length);
  const add = (action: Step['action'], more: Partial<Step> = {}) => {
    const step = { action, at: (steps.length + 1) * STEP_NS, cpu: random(CPUS), ...more };
    steps.push(step);
    return step;
  };
  const execs = (count: number) => {
    const own: Step[] = [];
    for (let n = 1; n <= count; n += 1) {
      if (n % 17 === 0) own.push(add('exec', { cause: add('loss', { count: 1 + random(4) }) }));
      const cause = random(8) === 0 ? undefined : own.at(-1 - random(Math.min(8, own.length || 1)));
      const pod = name === 'pods' ? random(4) : undefined;
      own.push(add('exec', { ...(cause && { cause }), ...(pod && { pod }) }));
    }
  };
  if (name === 'middle') {
    add('start', { state: 'resumed' });
    for (const [cpu, next] of MIDDLE.entries()) add('retention', { cpu, count: next - 1 });
    execs(60);
    return steps;
  }
  add('start', { state: 'attached' });
  execs(45);
  if (name === 'runs') {
    add('stop', { state: 'kept' });
    add('start', { state: 'resumed' });
    execs(25); // and the agent is killed
    add('start', { state: 'resumed' });
    execs(20);
    add('stop', { state: 'detached' });
    add('start', { state: 'attached' });
    execs(20);
    add('stop', { state: 'kept' });
    add('start', { state: 'attached' });
    add('reboot');
    execs(25);
  }
  add('stop', { state: 'kept' });
  return steps;
}

/** Gives steps their numbers, counts and ids, as an agent would. */
export function recordsOf(name: JournalName, steps: readonly Step[]): Draft[] {
  const ids = new Map<Step, string>();
  const lostBy = new Map<Step, string>();
  let next = name === 'middle' ? [...MIDDLE] : Array(CPUS).fill(1);
  let boot: string | undefined;
  let hook = String(HOOK);
  let [n, records, gaps, losses] = [0, 0, 0, 0];
  let attached = 0;
  return steps.map((step) => {
    const { action, at, cpu, cause, count = 1, state = '' } = step;
    let record: Draft;
    if (action === 'start') {
      [n, records, gaps, losses] = [0, 0, 0, 0];
      if (state === STARTS[0]) {
        attached += 1;
        next = Array(CPUS).fill(1);
        if (attached > 1) hook = String(HOOK + BigInt(at));
        if (attached > 2) boot = OTHER_BOOT;
      }
      record = start([...next], state, at);
    } else if (action === 'exec') {
      record = exec(at, 100 + at / STEP_NS, cpu, next[cpu]++, {
        'process.creation.time': time(HOOK + BigInt(at) - FORKED_NS),
        ...causeOf(cause, ids, lostBy),
      });
      if (step.pod !== undefined) place(record, step.pod, at);
      records += 1;
      if (record.parent_cause === null) gaps += 1;
    } else if (action === 'loss') {
      record = loss(at, 0, cpu, next[cpu], next[cpu] + count - 1, {
        'vcml.loss.stage': STAGES[count % STAGES.length],
      });
      next[cpu] += count;
      losses += 1;
      lostBy.set(
        step,
        uuid5(boot ?? String(record.attributes['vcml.boot.id']), `${HOOK + BigInt(at - 9)}:9`),
      );
    } else if (action === 'retention') {
      record = loss(at, 0, cpu, 1, count, { 'vcml.loss.stage': 'retention' });
      losses += 1;
    } else if (action === 'reboot') {
      record = draft(at, 'journal.loss', 0, {
        'vcml.loss.stage': 'reboot',
        'vcml.loss.boot_id': draft(0, 'exec', 0, {}).attributes['vcml.boot.id'],
        'vcml.loss.next_seq': [9, 9, 9],
      });
      losses += 1;
    } else {
      record = stop(at, 0, records, gaps, losses);
      record.attributes['vcml.hook.state'] = state;
    }
    const { attributes } = record;
    if (boot !== undefined) attributes['vcml.boot.id'] = boot;
    attributes['vcml.hook.id'] = hook;
    if ('vcml.loss.cpu' in attributes) attributes['vcml.loss.hook_id'] = hook;
    const isExec = record.action === 'exec';
    record.id = idOf(record, isExec ? undefined : n++);
    ids.set(step, String(record.id));
    return record;
  });
}

/** Returns the id that a record must have; `n` is its number among those about the journal. */
export function idOf({ action, actor, attributes }: Draft, n: number | undefined): string {
  const time = attributes['vcml.boot_time'];
  const name = n === undefined ? `${time}:${actor.pid}` : `${time}:${action}:${n}`;
  return uuid5(String(attributes['vcml.boot.id']), name);
}

function causeOf(cause: Step | undefined, ids: Map<Step, string>, lostBy: Map<Step, string>) {
  if (cause === undefined) return {};
  const lost = lostBy.get(cause);
  return lost === undefined ? { parent: ids.get(cause) } : lostGap(lost);
}

function place(record: Draft, pod: number, at: number): void {
  Object.assign(record.resource, {
    'container.id': `c${pod}`,
    'k8s.pod.uid': `u${pod}`,
    'k8s.pod.name': `pod-${pod}`,
    'k8s.namespace.name': 'shop',
    'k8s.container.name': 'app',
  });
  record.attributes['vcml.metadata.state'] = at % 3 === 0 ? 'partial' : 'complete';
}
