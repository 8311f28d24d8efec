import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { judge } from '../../check/check.ts';
import { type Agent, runProgram, startAgent } from '../../support/agent.ts';
import { compare, parseTruth } from './compare.ts';

const moves = Number(process.env.MODEL_MOVES ?? 30_000);
const seed = Number(process.env.MODEL_SEED ?? randomInt(1, 2 ** 31));

let agent: Agent;

before(async () => {
  agent = await startAgent();
});
after(() => agent?.close());

test(`every link of ${moves} random moves is true`, { timeout: 3_600_000 }, async (t) => {
  t.diagnostic(`MODEL_SEED=${seed} MODEL_MOVES=${moves}`);
  const truthFile = join(agent.directory, 'truth');
  const run = `${process.pid}-${seed}`;
  await runProgram('model', `model:${run}:0`, String(moves), String(seed), truthFile);
  // The ring keeps the order: once this record exists, all earlier ones exist.
  await runProgram('noop', `model:${run}:end`);
  await agent.journal.marked(`model:${run}:end`, 600_000);

  const truth = parseTruth(readFileSync(truthFile, 'utf8'));
  t.diagnostic(`${truth.images.length} execs, ${truth.reused} pids reused`);
  assert.deepEqual(compare(truth, agent.records(), run).slice(0, 20), [], `seed ${seed}`);
});

test('the journal of all moves has no findings', { timeout: 3_600_000 }, async () => {
  await agent.stop();
  agent.records();
  const { findings, summary } = judge(agent.journal.lines);
  assert.deepEqual(findings.slice(0, 20), [], `seed ${seed}`);
  assert.deepEqual(summary.losses, {});
});
