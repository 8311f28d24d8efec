import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { sentencesOf } from '../../forensics/output/sentences.ts';
import { contentOf } from '../../forensics/output/text.ts';
import { readRecord, type StoredRecord } from '../../record/read.ts';
import { type Draft, exec, execId, loss, text } from '../check/craft.ts';

const POD = {
  'host.name': 'node-1',
  'os.type': 'linux',
  'k8s.namespace.name': 'shop',
  'k8s.pod.name': 'cart-0',
  'k8s.container.name': 'app',
  'k8s.statefulset.name': 'cart',
};

function recordOf(draft: Draft): StoredRecord {
  const record = readRecord(text(draft));
  if (record === undefined) throw new Error('no record');
  return record;
}

/** An exec in a pod or on the host. */
function ran(
  at: number,
  pid: number,
  command: string,
  extra: object,
  isInPod = true,
): StoredRecord {
  const args = command.split(' ');
  const attributes = {
    'process.command_args': args,
    'process.args_count': args.length,
    'process.creation.time': '2026-01-31T07:00:00.000000000Z',
    ...extra,
  };
  const draft = exec(at, pid, 0, at, attributes);
  return recordOf(isInPod ? { ...draft, resource: POD } : draft);
}

/** The sentence about a record that has this effect. */
function sentenceOf(record: StoredRecord, effect: StoredRecord | undefined): string {
  const chain = effect === undefined ? [record] : [effect, record];
  return sentencesOf(chain).at(-2) ?? '';
}

/** The sentence that follows a chain's last record. */
function endSentence(last: StoredRecord, isCircle: boolean): string {
  const first = { ...last, id: last.parentCause ?? '' };
  return sentencesOf(isCircle ? [first, last] : [last]).at(-1) ?? '';
}

test('the first sentence says when, what, where and who', () => {
  match(
    sentenceOf(ran(10, 100, 'id -u', {}), undefined),
    /^At \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, `.*id -u` ran in pod shop\/cart-0 of statefulset\/cart, container app, on node node-1 as root\.$/,
  );
});

test('a cause in another place, or of another user, names it, and one in the same place does not', () => {
  const effect = ran(20, 101, 'id', {});
  const here = sentenceOf(ran(10, 100, 'sh', {}), effect);
  match(here, /^It was started by `.*sh`, which ran at [^,]* UTC\.$/);
  const host = ran(10, 100, 'runc', {}, false);
  match(sentenceOf(host, effect), /UTC on the host node\.$/);
  match(sentenceOf({ ...host, uid: 7 }, effect), /UTC on the host node as uid 7\.$/);
});

test('a cause of the same process says so, unless the pid was used again', () => {
  const effect = ran(20, 100, 'id', {});
  match(sentenceOf(ran(10, 100, 'sh', {}), effect), /^Before that, the same process ran `.*sh` at/);
  const other = ran(10, 100, 'sh', { 'process.creation.time': '2026-01-30T07:00:00.000000000Z' });
  match(sentenceOf(other, effect), /^It was started by `/);
});

test('an entry into a container is named', () => {
  match(sentenceOf(ran(10, 100, 'sh', { 'vcml.entry': 'exec' }), undefined), /from outside/);
  match(sentenceOf(ran(10, 100, 'sh', { 'vcml.entry': 'start' }), undefined), /started with/);
});

test('a record about the journal says what it is about', () => {
  match(
    sentenceOf(recordOf(loss(20, 1, 0, 2, 4)), undefined),
    /UTC, journal\.loss \(lost 3 records .*\) was recorded on the host node\.$/,
  );
});

test('the last sentence says why the memory ends', () => {
  const predates = {
    'vcml.gap.reason': 'predates_hook',
    'vcml.gap.ancestor.pid': 7,
    'vcml.gap.ancestor.comm': 'containerd',
    'vcml.gap.ancestor.executable.path': '/usr/bin/containerd',
  };
  const { 'vcml.gap.ancestor.pid': _, ...unnamed } = predates;
  const lost = { 'vcml.gap.reason': 'lost', 'vcml.gap.lost_cause': execId(5, 9) };
  const ends = [predates, unnamed, lost, { 'vcml.gap.reason': 'untracked' }].map((gap) =>
    endSentence(ran(10, 100, 'sh', gap), false),
  );
  deepEqual(ends, [
    'The memory ends at `containerd[7]` (/usr/bin/containerd), which was there before the recording.',
    'The memory ends at a process that was there before the recording.',
    'The memory ends here, because the record of what caused this was lost.',
    'The memory ends here, because it is not known what caused this.',
  ]);
  const child = ran(10, 100, 'sh', { parent: execId(5, 9) });
  match(endSentence(child, true), /circle/);
  equal(
    endSentence({ ...child, parentCause: 'x\n' }, false),
    'The record of what caused this, x\\n, is in none of these files as one of this node.',
  );
});

test('remarks follow the record that they are about, and an empty chain says nothing', () => {
  const [effect, cause] = [ran(20, 101, 'id', {}), ran(10, 100, 'sh', {})];
  const sentences = sentencesOf([effect, cause], (one) => (one === effect ? ['a remark'] : []));
  deepEqual([sentences.length, sentences[1]], [4, 'A remark.']);
  deepEqual(sentencesOf([]), []);
});

test('a record of another kind shows its object, and one about the journal what it says', () => {
  const record = ran(10, 100, 'sh', {});
  equal(contentOf({ ...record, action: 'connect', object: '192.0.2.1:443\n' }), '192.0.2.1:443\\n');
  match(contentOf(recordOf(loss(20, 1, 0, 2, 4))), /^lost 3 records \(ring_buffer\), cpu 0/);
});
