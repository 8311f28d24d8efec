import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from '../../agent/source/decode.ts';
import {
  createEnvironmentRecorder,
  type EnvironmentOptions,
} from '../../agent/source/recorded-environment.ts';
import { createRedactor } from '../../redact/redactor.ts';
import { bufferWith, type CraftedEnvironment, craftExec } from '../support/kernel-events.ts';

const NAMES = ['PATH', 'CI_JOB', 'DB_PASSWORD'];
const TRACE = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', flags: 1 };
const VALID = `TRACEPARENT=00-${TRACE.traceId}-${TRACE.spanId}-01\0`;
const REDACT = createRedactor();
const NOTHING = { variables: [], isTruncated: false, trace: undefined };

function recordedOf(
  environment: CraftedEnvironment | undefined,
  { names = NAMES, hasTrace = true, redact = REDACT }: Partial<EnvironmentOptions> = {},
) {
  const event = craftExec(environment === undefined ? {} : { environment });
  const recorder = createEnvironmentRecorder({ names, hasTrace, redact });
  const asked = [...names, 'TRACEPARENT'];
  const decoder = createDecoder(bufferWith(event), 1, undefined, asked, recorder);
  const found = decoder.decode(0, event.length);
  if (found.kind !== 'exec') throw new Error(JSON.stringify(found));
  return found.recordedEnvironment;
}

/** Returns the variables that are recorded as `NAME=value`. */
function variablesOf(first: string, options?: Partial<EnvironmentOptions>): string[] | undefined {
  return recordedOf({ first }, options)?.variables.map(({ name, value }) => `${name}=${value}`);
}

test('configured variables are recorded once each, by name', () => {
  deepEqual(variablesOf('PATH=/bin\0CI_JOB=7\0HOME=/\0'), ['CI_JOB=7', 'PATH=/bin']);
  deepEqual(variablesOf('CI_JOB=7\0', { names: ['CI_JOB', 'CI_JOB'] }), ['CI_JOB=7']);
  deepEqual(variablesOf('CI_JOB=7\0', { names: [], hasTrace: true }), undefined);
});

test('of a name that stands twice the first one is recorded, as getenv() finds it', () => {
  deepEqual(variablesOf('CI_JOB=first\0PATH=/bin\0CI_JOB=second\0'), ['CI_JOB=first', 'PATH=/bin']);
  // An empty value is no later one.
  deepEqual(variablesOf('CI_JOB=\0CI_JOB=second\0PATH=/\0'), ['PATH=/']);
});

for (const [given, recorded] of [
  ['DB_PASSWORD=hunter2hunter2', 'DB_PASSWORD=[redacted]'],
  ['CI_JOB=https://me:hunter2hunter2@git.example/x', 'CI_JOB=https://me:[redacted]@git.example/x'],
  ['CI_JOB=ghp_0123456789abcdefghijABCDEFGHIJ012345', 'CI_JOB=[redacted]'],
  ['CI_JOB=--password', 'CI_JOB=--password'],
  ['CI_JOB=a=b', 'CI_JOB=a=b'],
] as const)
  test(`a variable is redacted as an argument of env: ${given}`, () => {
    deepEqual(variablesOf(`${given}\0`), [recorded]);
    deepEqual(REDACT(['env', given], '/usr/bin/env').args, ['env', recorded]);
  });

test('variables do not depend on each other', () => {
  const words = variablesOf('CI_JOB=x --password\0PATH=/bin\0');
  deepEqual(words, ['CI_JOB=x --password', 'PATH=/bin']);
});

test('a pattern that takes a name as well leaves nothing of the value', () => {
  const redact = createRedactor({ patterns: ['CI_JOB=[0-9a-z]{20,}'] });
  deepEqual(variablesOf(`CI_JOB=${'7'.repeat(24)}\0`, { redact }), ['CI_JOB=[redacted]']);
});

test('a trace is taken where it is asked for', () => {
  deepEqual(recordedOf({ first: VALID }), { ...NOTHING, trace: TRACE });
  equal(recordedOf({ first: VALID }, { hasTrace: false }), undefined);
});

test('no trace is taken that is not valid, or that stands twice', () => {
  equal(recordedOf({ first: VALID.replace('00-', 'ff-') }), undefined);
  equal(recordedOf({ first: VALID.toLowerCase() }), undefined);
  equal(recordedOf({ first: VALID + VALID }), undefined);
  equal(recordedOf({ first: `TRACEPARENT=\0${VALID}` }), undefined);
});

test('an environment that was not searched as a whole says so', () => {
  const cut = { first: `A=b\0${VALID}`, last: 'x\0CI_JOB=7\0', size: 5000 };
  deepEqual(recordedOf(cut), {
    variables: [{ name: 'CI_JOB', value: '7' }],
    isTruncated: true,
    trace: TRACE,
  });
  deepEqual(recordedOf({ first: '', size: 1 }), { ...NOTHING, isTruncated: true });
  // Its event is from before the configuration.
  deepEqual(recordedOf(undefined), { ...NOTHING, isTruncated: true });
});

test('an environment without any of it leaves nothing in a record', () => {
  equal(recordedOf({ first: '' }), undefined);
  equal(recordedOf({ first: 'A=b\0' }), undefined);
});

test('no environment leaves anything in a record if nothing is configured', () => {
  equal(createEnvironmentRecorder({ names: [], hasTrace: false, redact: REDACT }), undefined);
  equal(recordedOf({ first: VALID }, { names: [], hasTrace: false }), undefined);
  equal(recordedOf(undefined, { names: [], hasTrace: false }), undefined);
});
