import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OwnDaemonSet } from '../../agent/kube/own-daemon-set.ts';
import { until } from '../support/until.ts';
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

/** Follows the DaemonSet until everything about it is known. */
async function settled(server: Server): Promise<OwnDaemonSet> {
  const own = server.follow();
  await own.verdict();
  await until('a watch', () => server.watches.size === 1);
  return own;
}

const verdicts: [what: string, at: Said, uninstalled: boolean, because: RegExp][] = [
  ['is there', daemonSet(), false, /DaemonSet watchers\/agent exists/],
  ['is not there', refusal(404, 'NotFound'), true, /is gone/],
  ['is another one by now', daemonSet({ uid: 'uid-2' }), false, /exists/],
  [
    'is being deleted',
    daemonSet({ deletionTimestamp: '2026-01-31T12:00:00Z' }),
    true,
    /is being deleted/,
  ],
  ['may no longer be read', refusal(403, 'Forbidden'), false, /not seen being deleted; HTTP 403/],
  [
    'is asked for by an account that is gone',
    refusal(401, 'Unauthorized'),
    false,
    /not seen being deleted; HTTP 401/,
  ],
  ['is behind a proxy that knows nothing', [404, '404 page not found'], false, /page not found/],
  ['is something else', [200, { kind: 'Status', metadata: {} }], false, /is not a DaemonSet/],
  ['is hidden by text', [200, '<html>'], false, /is not a DaemonSet/],
  ['is behind an error', refusal(500, 'InternalError'), false, /HTTP 500: it is InternalError/],
  ['is asked for too often', refusal(429, 'TooManyRequests'), false, /HTTP 429/],
  ['is behind a server that hangs up', 'hang up', false, /did not answer/],
  ['is behind a server that says nothing', 'nothing', false, /did not answer/],
];

// Several of them wait for seconds, for a response or for an event; they wait at the same time.
describe('the DaemonSet of an agent', { concurrency: true }, () => {
  describe('at the end', { concurrency: true }, () => {
    for (const [what, at, uninstalled, because] of verdicts)
      test(`a DaemonSet that ${what}: ${uninstalled ? 'uninstalled' : 'it stays'}`, async () => {
        await withServer(async (server) => {
          const own = await settled(server);
          server.daemonSet = at;
          const verdict = await own.verdict();
          equal(verdict.uninstalled, uninstalled, verdict.because);
          match(verdict.because, because);
          deepEqual([server.known, server.problems], [['watchers/agent'], []]);
        });
      });
  });

  test('the last answer of a server that falls silent is the reason', async () => {
    await withServer(async (server) => {
      const own = await settled(server);
      server.daemonSet = refusal(500, 'InternalError');
      const asked = server.asked.length;
      const verdict = own.verdict();
      await until('a question', () => server.asked.length > asked);
      server.daemonSet = 'nothing';
      match((await verdict).because, /not seen being deleted; HTTP 500: it is InternalError/);
    });
  });

  test('a DaemonSet in a namespace that is being deleted counts as deleted', async () => {
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

  test('a request that was forbidden from the beginning proves nothing, and is reported with the remedy', async () => {
    await withServer(async (server) => {
      server.daemonSet = refusal(403, 'Forbidden');
      equal((await server.follow().verdict()).uninstalled, false);
      deepEqual([server.known, server.problems.length], [[], 1]);
      match(
        server.problems[0] ?? '',
        /HTTP 403: it is Forbidden; let the agent’s account get pods/,
      );
    });
  });

  test('a verdict that is asked for at once waits until the DaemonSet is known', async () => {
    await withServer(async (server) => {
      server.daemonSet = refusal(404, 'NotFound');
      equal((await server.follow().verdict()).uninstalled, true);
    });
  });

  /** What the agent saw before it lost only the right to ask. */
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

  describe('without the right to ask', { concurrency: true }, () => {
    for (const [what, events, seen] of sights)
      for (const reason of ['Forbidden', 'Unauthorized'])
        test(`an agent that saw ${what} and is ${reason}: ${seen ? 'uninstalled' : 'it stays'}`, async () => {
          await withServer(async (server) => {
            const own = await settled(server);
            for (const [type, metadata] of events) server.send(type, metadata);
            server.daemonSet = refusal(reason === 'Forbidden' ? 403 : 401, reason);
            let verdict = await own.verdict();
            // The last of the events may be on its way at first.
            for (let i = 0; i < 100 && verdict.uninstalled !== seen; i++)
              verdict = await own.verdict();
            equal(verdict.uninstalled, seen, verdict.because);
          });
        });
  });

  test('an event during the question counts', async () => {
    await withServer(async (server) => {
      const own = await settled(server);
      server.daemonSet = refusal(403, 'Forbidden');
      const verdict = own.verdict();
      await until('the question', () => server.asked.at(-1) === DAEMON_SET);
      server.send('DELETED', { uid: 'uid-1' });
      equal((await verdict).uninstalled, true);
    });
  });

  for (const busy of ['hang up', 'nothing', refusal(429, 'TooManyRequests')] as const)
    test(`an API server that is busy at the end is asked again (${String(busy)})`, async () => {
      await withServer(async (server) => {
        const own = await settled(server);
        server.daemonSet = busy;
        const before = server.asked.length;
        const verdict = own.verdict();
        await until('a question', () => server.asked.length > before);
        server.daemonSet = refusal(404, 'NotFound');
        equal((await verdict).uninstalled, true);
      });
    });

  test('a DaemonSet that takes the place of a deleted one counts, though the server is busy at first', async () => {
    await withServer(async (server) => {
      const own = await settled(server);
      server.send('DELETED', { uid: 'uid-1' });
      server.daemonSet = refusal(429, 'TooManyRequests');
      const before = server.asked.length;
      const verdict = own.verdict();
      await until('a question', () => server.asked.length > before);
      server.daemonSet = daemonSet({ uid: 'uid-2' });
      const { uninstalled, because } = await verdict;
      equal(uninstalled, false, because);
    });
  });

  test('a verdict that is no longer needed ends at once', async () => {
    await withServer(async (server) => {
      const own = await settled(server);
      server.daemonSet = refusal(429, 'TooManyRequests');
      const before = server.asked.length;
      const verdict = own.verdict();
      await until('a question', () => server.asked.length > before);
      own.close();
      equal((await verdict).uninstalled, false);
      ok(server.asked.length <= before + 2);
    });
  });

  test('a deletion that was seen counts, though the API server does not answer', async () => {
    await withServer(async (server) => {
      const own = await settled(server);
      server.send('DELETED', { uid: 'uid-1' });
      server.daemonSet = 'hang up';
      const { uninstalled, because } = await own.verdict();
      equal(uninstalled, true);
      match(because, /was seen being deleted; the API server did not answer/);
    });
  });

  test('an API server that is unavailable at first is asked again', async () => {
    await withServer(async (server) => {
      server.pod = 'hang up';
      const own = server.follow();
      await until('a problem', () => server.problems.length > 0);
      server.pod = pod(OWNER);
      await until('a watch', () => server.watches.size === 1);
      match((await own.verdict()).because, /exists/);
      deepEqual(server.known, ['watchers/agent']);
    });
  });

  for (const [what, said] of [
    ['does not exist', refusal(404, 'NotFound')],
    ['belongs to no DaemonSet', pod({ ...OWNER, kind: 'ReplicaSet' })],
  ] as const)
    test(`a pod that ${what} is reported, and the hook stays`, async () => {
      await withServer(async (server) => {
        server.pod = said;
        const { uninstalled, because } = await server.follow().verdict();
        equal(uninstalled, false);
        match(because, /not known which DaemonSet/);
        match(server.problems[0] ?? '', /pod watchers\/agent-x2x: (there is no|no DaemonSet owns)/);
      });
    });
});
