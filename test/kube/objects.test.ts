import { rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { watchObjects } from '../../agent/kube/objects.ts';
import { type Answer, ApiServer } from '../support/api-server.ts';

/** Watches until the end, which must be an error. */
async function watching(answer: Answer, silenceMs: number): Promise<void> {
  const api = new ApiServer(answer);
  await api.start();
  const never = new AbortController().signal;
  try {
    const path = '/api/v1/pods?watch=true';
    const events = watchObjects(
      { kubeconfig: api.kubeconfig, path, silenceMs, stop: never },
      { metadata: {} },
    );
    await Array.fromAsync(events);
  } finally {
    await api.close();
  }
}

test('a watch that the server never answers is abandoned', async () => {
  await rejects(
    watching(() => {}, 100),
    /the API server is silent/,
  );
});

test('a watch that stays silent after its headers is abandoned', async () => {
  await rejects(
    watching((_, response) => response.writeHead(200).flushHeaders(), 100),
    Error,
  );
});

/** Sends data without end, as fast as it is read. */
const endless =
  (status: number): Answer =>
  (_, response) => {
    const send = () => {
      while (response.write('x'.repeat(1 << 20)));
    };
    response.writeHead(status).on('drain', send);
    send();
  };

test('an event without an end is not kept until the memory is full', async () => {
  await rejects(watching(endless(200), 60_000), /an object that is too long/);
});

test('a refusal without an end is not kept until the memory is full', async () => {
  await rejects(watching(endless(500), 60_000), /answer is too long/);
});
