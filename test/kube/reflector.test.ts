import { deepEqual, equal } from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { ObjectListWatch } from '../../agent/kube/list-watch.ts';
import { OBJECT } from '../../agent/kube/objects.ts';
import { Pace } from '../../agent/kube/pace.ts';
import { reflect } from '../../agent/kube/reflector.ts';
import { ApiServer, answering, apiPod } from '../support/api-server.ts';
import { until } from '../support/until.ts';

for (const [how, end] of [
  ['breaks', (response: ServerResponse) => setImmediate(() => response.destroy())],
  ['ends', (response: ServerResponse) => response.end()],
] as const)
  test(`a watch that always ${how} after its headers is reported once, and so is its end`, async () => {
    const api = new ApiServer(answering([]));
    await api.start();
    const list = answering([]);
    api.answer = (request, response) => {
      list(request, response);
      if (request.watch) end(response);
    };
    const problems: string[] = [];
    const stop = new AbortController();
    const done = reflect({
      source: new ObjectListWatch({
        kubeconfig: api.kubeconfig,
        path: '/api/v1/pods',
        fieldSelector: 'a=b',
        cached: true,
        shape: OBJECT,
        pace: new Pace(),
        read: ({ value }) => value,
      }),
      onList: () => ({ add: () => {}, end: () => {} }),
      onChange: () => {},
      onProblem: (problem) => problems.push(problem === undefined ? 'fine' : 'problem'),
      stop: stop.signal,
      backoffMs: 1,
    });
    try {
      await until('a problem', () => problems.length > 0);
      const watches = api.count('watch');
      await until('more of them', () => api.count('watch') > watches + 2);
      deepEqual(problems, ['problem']);
      api.answer = list;
      await until('a watch that lasts', () => {
        api.send('ADDED', apiPod('8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e5f', 'a', '11'));
        return problems.length > 1;
      });
      deepEqual(problems, ['problem', 'fine']);
      equal(api.count('list'), 1);
    } finally {
      stop.abort();
      await done;
      await api.close();
    }
  });
