import { deepEqual, equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Agent, startAgent } from '../../support/agent.ts';
import { executeIn, makePodContainer, unified } from '../../support/container-cgroup.ts';

const USER = 1000;
const UID = randomUUID();
const ID = createHash('sha256').update(UID).digest('hex');
const SLICE = `kubepods-besteffort-pod${UID.replaceAll('-', '_')}.slice`;
const FORGED = [
  `${SLICE}/cri-containerd-${ID}.scope`,
  `${SLICE}/cri-containerd-${ID}.scope/init`,
  `kubepods/besteffort/pod${UID}/${ID}`,
  `docker-${ID}.scope`,
];

const TOP = `vcml-test-${process.pid}`;
const OUTER = createHash('sha256').update(TOP).digest('hex');

/** How a command is run as somebody who may make cgroups, but no containers. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'a user': ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'],
  'root of a user namespace': ['unshare', '--user', '--map-root-user'],
  'root without CAP_SYS_ADMIN': ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'],
};

let agent: Agent;
let victim: string;
const ends: (() => void)[] = [];
const cleanUps = { after: (cleanUp: () => void) => ends.push(cleanUp) };

before(async () => {
  agent = await startAgent();
  const annotations = {
    'io.kubernetes.cri.container-type': 'container',
    'io.kubernetes.cri.container-name': 'cart',
    'io.kubernetes.cri.sandbox-name': 'cart-1',
    'io.kubernetes.cri.sandbox-namespace': 'shop',
    'io.kubernetes.cri.sandbox-uid': UID,
  };
  const bundle = join(agent.directory, 'run/io.containerd.runtime.v2.task/k8s.io', ID);
  mkdirSync(bundle, { recursive: true });
  writeFileSync(join(bundle, 'config.json'), JSON.stringify({ annotations }));
  await again();
  victim = makePodContainer(cleanUps, UID, ID);
  await executeIn(victim, 1, 'victim-before');
});
after(async () => {
  for (const cleanUp of ends) cleanUp();
  await agent?.close();
});

/** Ends the agent without notice, and starts the next one. */
async function again(): Promise<void> {
  await agent.kill();
  await agent.start('--runtime-dirs', join(agent.directory, 'run'));
}

async function placeOf(marker: string) {
  const { resource, attributes } = await agent.journal.marked(marker);
  return {
    container: resource['container.id'],
    podUid: resource['k8s.pod.uid'],
    pod: resource['k8s.pod.name'],
    name: resource['container.name'],
    cgroup: attributes['process.linux.cgroup'],
  };
}

/** Makes a cgroup that belongs to the user, as a service or a container with cgroups of its own. */
function delegate(t: { after(cleanUp: () => void): void }, name: string): string {
  const folder = `${unified()}/${name}`;
  mkdirSync(folder, { recursive: true });
  t.after(() => remove(`${unified()}/${name.split('/')[0]}`));
  return folder;
}

function remove(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) remove(join(folder, entry.name));
  rmdirSync(folder);
}

for (const [who, command] of Object.entries(OTHERS)) {
  const slug = who.replaceAll(' ', '-');
  for (const [name, container] of [
    [`${TOP}-${slug}.service`, undefined],
    [`docker-${OUTER}.scope`, OUTER],
  ] as const)
    test(`cgroups that ${who} names like a pod’s belong to ${container ? 'the container' : 'the service'} they are in`, async (t) => {
      const folder = delegate(t, name);
      if (who === 'a user') chownSync(folder, USER, USER);
      const outer = { container, podUid: undefined, pod: undefined, name: undefined };
      for (const [n, forged] of FORGED.entries()) {
        execFileSync(command[0] ?? '', [...command.slice(1), 'mkdir', '-p', join(folder, forged)]);
        const marker = `forged-${slug}-${container ?? 'service'}-${n}`;
        await executeIn(join(folder, forged), 1, marker);
        deepEqual(await placeOf(marker), { ...outer, cgroup: `0::/${name}/${forged}` });
      }
      // Also where the next agent has the kernel side's table and the file system alone.
      const [forged = ''] = FORGED;
      await again();
      const marker = `again-${slug}-${container ?? 'service'}`;
      await executeIn(join(folder, forged), 1, marker);
      deepEqual(await placeOf(marker), { ...outer, cgroup: `0::/${name}/${forged}` });
      const own = `victim-${slug}-${container ?? 'service'}`;
      await executeIn(victim, 1, own);
      const { cgroup, ...place } = await placeOf(own);
      deepEqual(place, { container: ID, podUid: UID, pod: 'cart-1', name: 'cart' });
      equal(cgroup, `0::/${SLICE}/cri-containerd-${ID}.scope`);
    });
}

test('a user cannot make the kernel side forget who made a cgroup', async (t) => {
  const name = `${TOP}-forgotten.service`;
  const folder = delegate(t, name);
  chownSync(folder, USER, USER);
  const [forged = ''] = FORGED;
  const asUser = (...command: string[]) =>
    execFileSync('setpriv', [`--reuid=${USER}`, '--regid=0', '--clear-groups', ...command]);
  process.kill(agent.pid, 'SIGSTOP');
  asUser('mkdir', '-p', join(folder, forged));
  await executeIn(join(folder, forged), 1, 'forgotten');
  const churn = 'for n in $(seq 300); do mkdir "$0/"{1..30}; rmdir "$0/"{1..30}; done';
  asUser('bash', '-c', churn, folder);
  remove(folder);
  await again();
  const { container, podUid, cgroup } = await placeOf('forgotten');
  deepEqual([container, podUid], [undefined, undefined]);
  ok(cgroup === undefined || cgroup === `0::/${name}/${forged}`, `${cgroup}`);
});

test('cgroups of a user that are older than the hook belong to what they are in', async (t) => {
  const service = delegate(t, `${TOP}-old.service`);
  const container = delegate(t, `docker-${OUTER}.scope`);
  chownSync(service, USER, USER);
  for (const folder of [service, container])
    for (const forged of FORGED) mkdirSync(join(folder, forged), { recursive: true });
  const fresh = await startAgent({ args: ['--runtime-dirs', join(agent.directory, 'run')] });
  t.after(() => fresh.close());
  for (const [n, forged] of FORGED.entries())
    for (const [folder, id] of [
      [service, undefined],
      [container, OUTER],
    ] as const) {
      const marker = `old-${id ?? 'service'}-${n}`;
      await executeIn(join(folder, forged), 1, marker);
      const { resource } = await fresh.journal.marked(marker);
      deepEqual([resource['container.id'], resource['k8s.pod.uid']], [id, undefined], forged);
    }
  await executeIn(victim, 1, 'victim-old');
  const { resource } = await fresh.journal.marked('victim-old');
  deepEqual([resource['container.id'], resource['k8s.pod.name']], [ID, 'cart-1']);
});

test('pods of a kubelet in a container are pods, and what they nest belongs to them', async (t) => {
  const folder = delegate(t, `docker-${OUTER}.scope`);
  const inner = createHash('sha256').update('inner').digest('hex');
  const path = `kubelet/kubepods/besteffort/pod${randomUUID()}/${inner}`;
  mkdirSync(join(folder, path), { recursive: true });
  await executeIn(join(folder, path), 1, 'kind');
  equal((await placeOf('kind')).container, inner);
  await again();
  await executeIn(join(folder, path), 1, 'kind-again');
  equal((await placeOf('kind-again')).container, inner);
});
