import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packRecords } from '../../../forensics/report/pack.ts';
import { unpackRecords } from '../../../forensics/report/page/records.ts';
import { exec, idOf, incident } from '../../support/report/incident.ts';

const AROUND = { title: '', selection: '', inputs: [], warnings: [], notes: [] };

function through(records: readonly Readonly<Record<string, unknown>>[], more: object = {}) {
  const packed = { ...AROUND, ...packRecords(records), ...more };
  return unpackRecords(JSON.parse(JSON.stringify(packed)));
}

test('packing and unpacking change nothing, to the nanosecond', () => {
  const records = incident();
  const unpacked = through(records);
  assert.equal(unpacked.count, records.length);
  for (const [index, record] of records.entries()) {
    const fields = Object.fromEntries(unpacked.fields(index));
    assert.equal(fields.timestamp, `${record.timestamp}`);
    assert.deepEqual(fields.resource, record.resource);
    assert.equal(fields['actor.pid'], (record.actor as { pid: number }).pid);
    for (const [name, value] of Object.entries(record.attributes as object))
      assert.deepEqual(fields[`attributes.${name}`], value);
  }
});

test('a value is written once, however many records have it', () => {
  const { values, shapes } = packRecords([exec(1), exec(2), exec(3)]);
  assert.equal(values.filter((value) => value === '/usr/bin/true').length, 1);
  assert.equal(values.filter((value) => typeof value === 'object' && value !== null).length, 2);
  assert.equal(shapes.length, 1);
});

test('a number and a text with the same digits stay two values', () => {
  const unpacked = through([{ id: 'a', one: 1, other: '1', none: null, not: 'null' }]);
  assert.deepEqual(Object.fromEntries(unpacked.fields(0)), {
    id: 'a',
    one: 1,
    other: '1',
    none: null,
    not: 'null',
  });
});

test('fields with the names of object members are ordinary fields', () => {
  const line = '{"id":"a","__proto__":{"x":1},"attributes":{"__proto__":"y","constructor":"z"}}';
  const unpacked = through([JSON.parse(line)]);
  assert.equal(unpacked.get(0, 'attributes.__proto__'), 'y');
  assert.equal(unpacked.get(0, 'attributes.constructor'), 'z');
  assert.equal(unpacked.get(0, 'toString'), undefined);
});

test('records with only core fields, or with nonsense, stay unchanged', () => {
  const unpacked = through([
    { id: 'a', timestamp: 5n, actor: { pid: 1, uid: 0 }, parent_cause: null },
    { id: 'b', timestamp: 'soon', actor: 'nobody', attributes: [1], parent_cause: 'a' },
    { id: 7, parent_cause: 7 },
  ]);
  assert.deepEqual([...unpacked.causes], [-1, 0, -1]);
  assert.deepEqual([...unpacked.times], [0, Number.NaN, Number.NaN]);
  assert.equal(unpacked.get(1, 'actor'), 'nobody');
});

test('if a record occurs twice, the first one is the cause', () => {
  const unpacked = through([exec(1), exec(1), exec(2, { cause: idOf(1) })]);
  assert.deepEqual([...unpacked.causes], [-1, -1, 0]);
});

test('a cause is a record of the same node', () => {
  const other = { 'host.name': 'node-2' };
  const unpacked = through([
    exec(1, { resource: other }),
    exec(1),
    exec(2, { cause: idOf(1) }),
    exec(3, { cause: idOf(1), resource: other }),
    exec(4, { resource: { 'k8s.node.name': 'node-4' } }),
    exec(5, { cause: idOf(4) }),
  ]);
  assert.deepEqual([...unpacked.causes], [-1, -1, 1, 0, -1, -1]);
});

test('a note is about one record, though another one has its id', () => {
  const other = exec(1, { resource: { 'host.name': 'node-2' } });
  const unpacked = through([exec(1), other], { notes: [[0, ['by alice']]] });
  assert.deepEqual([0, 1].map(unpacked.notesOf), [['by alice'], []]);
});
