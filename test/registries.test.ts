import { deepEqual, equal, match } from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AgentError, ERRORS, EXIT_MEANINGS, exitCodeOf, NATIVE_ERRORS } from '../agent/errors.ts';
import { LOG_EVENTS } from '../agent/log-events.ts';
import { ROOT } from './support/paths.ts';

const AGENT = sourceOf('agent/**/*.ts');
const NATIVE = sourceOf('native/*.cc');

/** All these files but the registries. */
function sourceOf(pattern: string): string {
  return globSync(pattern, { cwd: ROOT })
    .filter((file) => !/^agent\/(errors|log-events)\.ts$/.test(file))
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');
}

test('each log event has a code of its room, a sentence and perhaps a remedy', () => {
  for (const [code, event] of Object.entries(LOG_EVENTS)) {
    match(code, /^[a-z]+\.[a-z_]+$/);
    const texts = 'remedy' in event ? [event.sentence, event.remedy] : [event.sentence];
    for (const text of texts) match(text, /^[a-zA-Z].*[^.]$/, code);
  }
});

test('no two log events have the same sentence', () => {
  const sentences = Object.values(LOG_EVENTS).map(({ sentence }) => sentence);
  equal(new Set(sentences).size, sentences.length);
});

test('each log event is written by some source', () => {
  // `hook.attached` and its like: the state of the hook is a part of the code.
  const unused = Object.keys(LOG_EVENTS).filter(
    (code) => !code.startsWith('hook.') && !AGENT.includes(`'${code}'`),
  );
  deepEqual(unused, []);
});

test('each error is thrown somewhere, and those of native/ are thrown there', () => {
  deepEqual(
    Object.keys(ERRORS).filter((code) => !AGENT.includes(`'${code}'`)),
    [],
  );
  const thrown = new Set(NATIVE.match(/"(HOOK|KERNEL)_[A-Z_]+"/g));
  deepEqual(
    [...thrown].sort(),
    Object.keys(NATIVE_ERRORS)
      .map((code) => `"${code}"`)
      .sort(),
  );
});

test('each error ends the agent with an exit code that --help explains', () => {
  for (const [code, { exitCode }] of Object.entries({ ...ERRORS, ...NATIVE_ERRORS })) {
    equal(exitCodeOf({ code }), exitCode, code);
    equal(exitCode in EXIT_MEANINGS, true, code);
  }
  for (const unforeseen of [new Error('x'), { code: 'ENOENT' }, { code: 'toString' }, null, 'x'])
    equal(exitCodeOf(unforeseen), 70);
});

test('the message of an error is its sentence and its remedy, with what varies', () => {
  const error = new AgentError('JOURNAL_BUSY', { path: '/a/{pid}', pid: 7 });
  equal(
    error.message,
    'the journal /a/{pid} is being written by process 7; stop that process, or choose another --journal-dir',
  );
  deepEqual([error.code, error.exitCode, error.isTransient], ['JOURNAL_BUSY', 75, false]);
  const full = { path: '/a', storage: 'ext4', reason: 'ENOSPC', maxBytes: 1 };
  equal(new AgentError('JOURNAL_FULL', full).isTransient, true);
});
