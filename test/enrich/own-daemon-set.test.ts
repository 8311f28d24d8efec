import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnDaemonSet } from '../../agent/enrich/own-daemon-set.ts';
import { until } from './api.ts';
import {
  DAEMON_SET,
  daemonSet,
  OWNER,
  pod,
  refusal,
  type Said,
  type Server,
  withServer,
} from './daemon-set.ts';

/** Follows until everything that there is to know at the beginning is known. */
async function settled(server: Server): Promise<OwnDaemonSet> {
  const own = server.follow();
  await own.verdict();
  await until('a watch', () => server.watches.size === 1);
  return own;
}

const verdicts: [what: string, at: Said, uninstalled: boolean, because: RegExp][] = [
  ['is there', daemonSet(), false, /DaemonSet watchers\/agent is there/],
  ['is not there', refusal(404, 'NotFound'), true, /is gone/],
  ['is another one', daemonSet({ uid: 'uid-2' }), true, /another one/],
  [
    'is being deleted',
    daemonSet({ deletionTimestamp: '2026-01-31T12:00:00Z' }),
    true,
    /is being deleted/,
  ],
  ['may no longer be read', refusal(403, 'Forbidden'), true, /rights are gone/],
  [
    'is asked for by an account that is gone',
    refusal(401, 'Unauthorized'),
    true,
    /account is gone/,
  ],
  ['is behind a proxy that knows nothing', [404, '404 page not found'], false, /page not found/],
  ['is something else', [200, { kind: 'Status', metadata: {} }], false, /no DaemonSet/],
  ['is hidden by text', [200, '<html>'], false, /no DaemonSet/],
  ['is behind an error', refusal(500, 'InternalError'), false, /HTTP 500: it is InternalError/],
  ['is asked for too often', refusal(429, 'TooManyRequests'), false, /HTTP 429/],
  ['is behind a server that hangs up', 'hang up', false, /no answer/],
  ['is behind a server that says nothing', 'nothing', false, /no answer/],
];

for (const [what, at, uninstalled, because] of verdicts)
  test(`a DaemonSet that ${what} at the end: ${uninstalled ? 'uninstalled' : 'it stays'}`, async () => {
    await withServer(async (server) => {
      const own = await settled(server);
      server.daemonSet = at;
      const verdict = await own.verdict();
      equal(verdict.uninstalled, uninstalled, verdict.because);
      match(verdict.because, because);
      deepEqual([server.known, server.problems], [['watchers/agent'], []]);
    });
  });

test('a DaemonSet that is there in a namespace that is being deleted goes with it', async () => {
  await withServer(async (server) => {
    const own = await settled(server);
    server.namespace = refusal(403, 'Forbidden');
    equal((await own.verdict()).uninstalled, false, 'nothing that may not be read');
    const metadata = { deletionTimestamp: '2026-01-31T12:00:00Z' };
    server.namespace = [200, { kind: 'Namespace', metadata }];
    const { uninstalled, because } = await own.verdict();
    equal(uninstalled, true);
    match(because, /namespace of DaemonSet watchers\/agent is being deleted/);
  });
});

test('what was forbidden from the beginning proves nothing, and is told with the remedy', async () => {
  await withServer(async (server) => {
    server.daemonSet = refusal(403, 'Forbidden');
    const own = await settled(server);
    equal((await own.verdict()).uninstalled, false);
    deepEqual([server.known, server.problems.length], [[], 1]);
    match(
      server.problems[0] ?? '',
      /HTTP 403: it is Forbidden; let the agent’s account get daemonsets/,
    );
  });
});

test('an account that is gone with a pod that was deleted by force proves nothing', async () => {
  await withServer(async (server) => {
    const own = await settled(server);
    server.daemonSet = refusal(401, 'Unauthorized');
    // The news come late.
    const verdict = own.verdict();
    await until('the question', () => server.asked.at(-1) === DAEMON_SET);
    server.send('DELETED', pod(OWNER));
    const { uninstalled, because } = await verdict;
    equal(uninstalled, false);
    match(because, /deleted by force/);
    equal((await own.verdict()).uninstalled, false, 'and when they are known');
  });
});

test('the pod’s end that is on its way is no deletion by force', async () => {
  await withServer(async (server) => {
    const own = await settled(server);
    server.daemonSet = refusal(401, 'Unauthorized');
    server.send('MODIFIED', pod(OWNER));
    server.send('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: '20' } });
    equal((await own.verdict()).uninstalled, true);
  });
});

test('a pod that another DaemonSet has adopted goes with that one', async () => {
  await withServer(async (server) => {
    const own = await settled(server);
    server.daemonSet = daemonSet({ uid: 'uid-2' });
    server.send('MODIFIED', pod({ ...OWNER, uid: 'uid-2' }));
    let verdict = await own.verdict();
    // The event is on its way at first.
    for (let i = 0; i < 100 && verdict.uninstalled; i++) verdict = await own.verdict();
    match(verdict.because, /is there/);
  });
});

test('who asks at once waits for what is to be known first', async () => {
  await withServer(async (server) => {
    server.daemonSet = refusal(404, 'NotFound');
    equal((await server.follow().verdict()).uninstalled, true);
  });
});

/** What there is to see when only the rights to ask are known to be gone. */
const sights: [what: string, events: [type: string, metadata: object][], seen: boolean][] = [
  ['nothing', [], false],
  ['a change', [['MODIFIED', { uid: 'uid-1' }]], false],
  ['its deletion', [['DELETED', { uid: 'uid-1' }]], true],
  ['its deletion begin', [['MODIFIED', { uid: 'uid-1', deletionTimestamp: 'now' }]], true],
  [
    'another come in its place',
    [
      ['DELETED', { uid: 'uid-1' }],
      ['ADDED', { uid: 'uid-2' }],
    ],
    false,
  ],
];

for (const [what, events, seen] of sights)
  test(`who saw ${what} and may no longer ask: ${seen ? 'it is gone' : 'it may be there'}`, async () => {
    await withServer(async (server) => {
      const own = server.follow(true);
      await own.verdict();
      await until('both watches', () => server.watches.size + server.daemonSetWatches.size === 2);
      for (const [type, metadata] of events) server.sendDaemonSet(type, metadata);
      server.daemonSet = refusal(403, 'Forbidden');
      let verdict = await own.verdict();
      // The last of the events may be on its way at first.
      for (let i = 0; i < 100 && verdict.seen !== seen; i++) verdict = await own.verdict();
      deepEqual([verdict.uninstalled, verdict.seen], [true, seen]);
    });
  });

test('what the API server says of the DaemonSet is seen, another in its place is not', async () => {
  await withServer(async (server) => {
    const own = await settled(server);
    server.daemonSet = refusal(404, 'NotFound');
    equal((await own.verdict()).seen, true);
    server.daemonSet = daemonSet({ deletionTimestamp: '2026-01-31T12:00:00Z' });
    equal((await own.verdict()).seen, true);
    server.daemonSet = daemonSet({ uid: 'uid-2' });
    equal((await own.verdict()).seen, false);
    server.daemonSet = refusal(403, 'Forbidden');
    equal((await own.verdict()).seen, false, 'who does not follow it sees nothing');
  });
});

for (const [what, pods] of [
  ['that there is not', []],
  ['of no DaemonSet', [pod({ ...OWNER, kind: 'ReplicaSet' })]],
] as const)
  test(`a pod ${what} is told, and the hook stays`, async () => {
    await withServer(async (server) => {
      server.pods = pods;
      const { uninstalled, because } = await server.follow().verdict();
      equal(uninstalled, false);
      match(because, /not known which DaemonSet/);
      match(server.problems[0] ?? '', /pod watchers\/agent-x2x: (there is no|no DaemonSet owns)/);
    });
  });
