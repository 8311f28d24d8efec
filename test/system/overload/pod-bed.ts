import { equal, match, ok } from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from '../../support/agent.ts';
import { executeIn, makePodContainer } from '../../support/container-cgroup.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';
import { chartLimit, createMemoryCgroup } from '../../support/memory-cgroup.ts';
import { scrape } from '../../support/scrape.ts';

/** As many pods as a kubelet takes by default, and etcd's default limit of an object. */
export const PODS = 110;
export const POD_BYTES = 1.5 * (1 << 20);

/** A pod with one container, `cart`. */
export interface Named {
  readonly uid: string;
  readonly name: string;
}

/** The pods of a tenant, all of them as large as etcd takes them. */
export const LARGE: readonly Named[] = Array.from({ length: PODS }, (_, n) => named(`large-${n}`));

export function named(name: string): Named {
  return { uid: randomUUID(), name };
}

/** The id of a pod's container. */
export function idOf({ uid }: Named): string {
  return createHash('sha256').update(uid).digest('hex');
}

/**
 * Starts an agent within the memory limit of the chart; `check()` judges at the end that it has not
 * exceeded it.
 */
export async function startLimitedAgent(
  t: TestContext,
  args: readonly string[],
): Promise<{ agent: Agent; check: () => Promise<void> }> {
  const agent = new Agent({ args: [...args, '--telemetry-address', '0'] });
  t.after(() => agent.close());
  const limit = chartLimit();
  const cgroup = createMemoryCgroup(t, limit);
  agent.bin = cgroup.launcher(join(agent.directory, 'limited'), agent.bin);
  await agent.start();
  const { pid } = agent;
  let anonymous = 0;
  const look = setInterval(() => (anonymous = Math.max(anonymous, anonymousMiB(pid))), 20);
  t.after(() => clearInterval(look));
  return {
    agent,
    async check() {
      clearInterval(look);
      const own = `${anonymous} MiB of it anonymous`;
      t.diagnostic(`${cgroup.peak() >> 20} of ${limit >> 20} MiB at most, ${own}`);
      equal(cgroup.kills(), 0);
      equal(await agent.stop(), 0, agent.stderr);
    },
  };
}

/** Executes in a pod until a record has its name and this state of its metadata. */
export async function recordIn(
  t: TestContext,
  agent: Agent,
  pod: Named,
  state: 'complete' | 'partial',
): Promise<JournalLine> {
  const folder = makePodContainer(t, pod.uid, idOf(pod));
  for (let attempt = 0; ; attempt++) {
    const marker = `${pod.name}-${attempt}`;
    await executeIn(folder, 1, marker);
    const record = await agent.journal.marked(marker, 300_000);
    const isNamed = record.resource['k8s.pod.name'] === pod.name;
    if (isNamed && record.attributes['vcml.metadata.state'] === state) return record;
    ok(attempt < 500, JSON.stringify(record));
  }
}

/** Checks that the records of a pod that is too large are partial, and that log and metric say so. */
export async function checkReduced(t: TestContext, agent: Agent, pod: Named): Promise<void> {
  const record = await recordIn(t, agent, pod, 'partial');
  equal(record.resource['k8s.namespace.name'], 'shop');
  match(agent.stderr, new RegExp(`"metadata.reduced"[^\\n]*"pod":"shop/${pod.name}"`));
  ok(((await scrape(agent)).get('vcml_metadata_reduced_total') ?? 0) > 0);
}

/**
 * Checks that events that come as fast as they are read take a small part of a core. `send` sends
 * one and resolves when there is room for the next.
 */
export async function checkPaced(
  t: TestContext,
  agent: Agent,
  send: () => Promise<void>,
): Promise<void> {
  let isOver = false;
  let sent = 0;
  const sending = (async () => {
    for (; !isOver; sent++) await send();
  })();
  await sleep(BURST_MS);
  const [before, began, first] = [cpuSeconds(agent.pid), performance.now(), sent];
  await sleep(PACED_MS);
  const seconds = (performance.now() - began) / 1000;
  const share = (cpuSeconds(agent.pid) - before) / seconds;
  t.diagnostic(
    `${Math.round(100 * share)} % of a core, ${(sent - first) / seconds} events a second`,
  );
  isOver = true;
  await sending;
  // Without the pace it is a whole core. What receives the events and collects garbage is not paced.
  ok(share < 0.5, `${share} of a core`);
  ok(((await scrape(agent)).get('vcml_metadata_paused_time_seconds_total') ?? 0) > 0);
}

/** What was saved up in quiet times is used up by then. */
const BURST_MS = 10_000;
const PACED_MS = 10_000;

/** The time that a process has used, in user and kernel mode. */
function cpuSeconds(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) / 100;
}

function anonymousMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) >> 10;
}
