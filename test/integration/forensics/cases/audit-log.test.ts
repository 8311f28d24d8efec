import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { secondReading } from '../../../forensics/second-reader.ts';
import { Folder, remarksIn, vcml } from '../../../support/forensics.ts';
import { followed } from './followed.ts';

const INPUTS = join(import.meta.dirname, 'inputs');
const EXEC = 'debcc1d2-7c8e-5ad4-9f13-9951cda3215f';
const folder = new Folder();
after(() => folder.close());

/** What `chain --audit-log` answers about the exec of a journal. */
const CASES: Readonly<Record<string, { journal: string; candidate?: RegExp; says: RegExp }>> = {
  'au-bom.log': {
    journal: 'au.jsonl',
    candidate: /pods\/exec by alice from 192\.0\.2\.7 \(same pod, same container, same command,/,
    says: /1 pods\/exec request in 1 line/,
  },
  'au-eventlist.log': {
    journal: 'au.jsonl',
    candidate: /pods\/exec by alice from 192\.0\.2\.7 \(same pod, same container, same command,/,
    says: /1 pods\/exec request in 1 line/,
  },
  'au-gke.log': {
    journal: 'au.jsonl',
    candidate: /pods\/exec by alice@example\.com \(same pod, the log does not have the command,/,
    says: /1 pods\/exec request in 1 line/,
  },
  'au-impersonated.log': {
    journal: 'au.jsonl',
    candidate: /pods\/exec by alice as bob from 192\.0\.2\.7 \(same pod,/,
    says: /1 pods\/exec request in 1 line/,
  },
  'au-two-stages.log': {
    journal: 'au.jsonl',
    says: /1 pods\/exec request in 2 lines, 1 of them refused/,
  },
  'au-attach.log': { journal: 'au.jsonl', says: /0 pods\/exec requests in 1 line/ },
  'au2.log': {
    journal: 'au2.jsonl',
    candidate: /same container, same command but for redacted parts,/,
    says: /1 pods\/exec request in 1 line/,
  },
  'au3.log': {
    journal: 'au3.jsonl',
    candidate: /same container, same command,/,
    says: /1 pods\/exec request in 1 line/,
  },
};

for (const [log, { journal, candidate, says }] of Object.entries(CASES))
  test(`chain with ${log} shows ${candidate === undefined ? 'no candidate' : 'the candidate'}, and no secret`, async () => {
    const asked = ['chain', EXEC, join(INPUTS, journal), '--audit-log', join(INPUTS, log)];
    const { code, stdout, stderr } = await vcml(...asked);
    const text = stdout.replaceAll(/\s+/g, ' ');
    assert.equal(code, 0, stderr);
    if (candidate === undefined) assert.doesNotMatch(text, /candidate/);
    else assert.match(text, candidate);
    assert.match(stderr, says);
    const json = await vcml(...asked, '--output', 'json');
    const page = join(folder.path, `${log}.html`);
    const [, id = '', ...inputs] = asked;
    const report = await vcml('report', id, ...inputs, '-o', page);
    assert.equal(report.code, 0, report.stderr);
    const answers = [stdout, stderr, json.stdout, json.stderr, readFileSync(page, 'utf8')];
    for (const answer of answers) assert.doesNotMatch(answer, /MYSECRET/);
  });

for (const journal of ['au.jsonl', 'au2.jsonl', 'au3.jsonl'])
  describe(journal, () => {
    const path = join(INPUTS, journal);
    const there = secondReading(path);

    test('query and chain print its records, and audit finds nothing', async () => {
      const query = await vcml('query', '--output', 'jsonl', path);
      assert.deepEqual([query.code, remarksIn(query.stderr)], [0, '']);
      assert.equal(query.stdout, readFileSync(path, 'utf8'));
      assert.deepEqual([there.ids.length, there.lines], [2, 2]);
      const chain = await vcml('chain', EXEC, '--output', 'jsonl', path);
      assert.deepEqual([chain.code, chain.stdout.split('\n').length], [0, 2]);
      const audit = await vcml('audit', path);
      assert.equal(audit.code, 0);
      assert.match(audit.stdout, /^sound: 2 lines in 1 files/);
    });

    test('tail prints its records when it appears', async () => {
      const { code, lines, stderr } = await followed(folder, journal, path);
      assert.deepEqual([code, lines.length], [0, 2], stderr);
    });
  });
