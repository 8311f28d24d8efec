import { deepEqual, equal } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { program } from '../../support/agent.ts';

const NOOP = program('noop');
const run = promisify(execFile);

/** A step of a pipeline that ran. */
export interface CiStep {
  readonly name: string;
  readonly spanId: string;
  /** an argument of all its execs */
  readonly mark: string;
}

/** A run of a pipeline, as an instrumented CI runner makes one. */
export interface CiRun {
  readonly trace: string;
  readonly steps: readonly CiStep[];
}

/** The number of execs of a step. */
export const EXECS_OF_STEP = 7;

/** Runs the steps of a pipeline at once, and sends their spans to a Collector over OTLP/HTTP. */
export async function runPipeline(port: number, names: readonly string[]): Promise<CiRun> {
  const trace = randomBytes(16).toString('hex');
  const root = spanOf('pipeline');
  const spans = await Promise.all(
    names.map(async (name) => {
      const span = spanOf(name);
      const env = { PATH: '/usr/bin:/bin', TRACEPARENT: `00-${trace}-${span.spanId}-01` };
      await run('/bin/sh', ['-c', scriptOf(`${trace}:${name}`)], { env });
      return { ...ended(span), parentSpanId: root.spanId };
    }),
  );
  const all = [ended(root), ...spans].map((span) => ({ ...span, traceId: trace }));
  await send(port, all);
  const steps = spans.map(({ name, spanId }) => ({ name, spanId, mark: `${trace}:${name}` }));
  return { trace, steps };
}

/** What a step runs: with its trace, without it, and in a daemon. */
function scriptOf(mark: string): string {
  return [
    `${NOOP} ${mark}`,
    `env -i ${NOOP} ${mark}`,
    `(env -i /bin/sh -c 'exec ${NOOP} ${mark}' &)`,
  ].join('\n');
}

/** A span as OTLP/JSON has it. */
function spanOf(name: string) {
  return { name, spanId: randomBytes(8).toString('hex'), kind: 1, startTimeUnixNano: now() };
}

function ended<T>(span: T): T & { readonly endTimeUnixNano: string } {
  return { ...span, endTimeUnixNano: now() };
}

function now(): string {
  return `${BigInt(Date.now()) * 1_000_000n}`;
}

async function send(port: number, spans: readonly object[]): Promise<void> {
  const service = { key: 'service.name', value: { stringValue: 'ci-runner' } };
  const resourceSpans = [{ resource: { attributes: [service] }, scopeSpans: [{ spans }] }];
  const answer = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans }),
  });
  equal(answer.status, 200);
  deepEqual(await answer.json(), { partialSuccess: {} });
}
