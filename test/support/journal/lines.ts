/** Journal lines of every kind, with content that is hard to transport, byte for byte as the agent writes them. */

import { equal } from 'node:assert/strict';
import { json } from '../../../record/line/json-text.ts';
import type { CausalRecord } from '../../../record/types.ts';
import { BOOT_ID, uuidOf } from '../ids.ts';

const BASE_NANOS = 1_795_403_355_000_000_000n;

/** Pieces that JSON, UTF-8, terminals or protobuf could trip over; in the record's own escaped form. */
const HOSTILE = [
  '"',
  '\\\\',
  '\\xff',
  '\n',
  '\r\n',
  '\t',
  '\u0000',
  '\u0001',
  '\u001b[31m',
  '\u007f',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\uffff',
  'ä',
  'ß',
  '日本',
  '😀',
  '👩‍💻',
  '\u{10ffff}',
  '\u202e',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"}',
  '","attributes":{',
  ',"resource":{',
  '"timestamp":1',
  'null',
  'true',
  '__proto__',
  'constructor',
  '%s',
  '`$',
  ' ',
  '',
  'a'.repeat(47),
  'b'.repeat(48),
  'c'.repeat(49),
  'd'.repeat(127),
  'e'.repeat(128),
  'é'.repeat(64),
  'f'.repeat(16_384),
];

export interface LineOptions {
  readonly object?: string;
  readonly args?: readonly string[];
  readonly resource?: Readonly<Record<string, string | readonly string[]>>;
  /** as in JSON: `,"name":value` */
  readonly more?: string;
  /** what the exec says of its environment, in the same form */
  readonly environment?: string;
  readonly comm?: string;
  readonly executable?: string;
  readonly hook?: number;
  readonly cpu?: number;
  readonly seq?: number;
}

/** The line of exec number `n`, without its line feed. */
export function execLine(n: number, options: LineOptions = {}): string {
  const { object = `/usr/bin/p${n}`, args = ['p', `${n}`], comm = 'p', more = '' } = options;
  const { resource = { 'host.name': 'node-1', 'os.type': 'linux' }, executable = object } = options;
  const { environment = '' } = options;
  const { hook = 1, cpu = n % 2, seq = n } = options;
  const cause = n % 3 === 0 ? null : idOf(n - 1);
  return (
    `{"id":"${idOf(n)}","timestamp":${BASE_NANOS + BigInt(n) * 1_000_003n},` +
    `"actor":{"pid":${n + 2},"ppid":1,"uid":0,"gid":${n % 2 === 0 ? 0 : 4_294_967_294},"comm":${json(comm)}},` +
    `"action":"exec","object":${json(object)},` +
    (cause === null
      ? '"permitted_by":"unobserved_parent","parent_cause":null,'
      : `"permitted_by":"parent_process_context","parent_cause":"${cause}",`) +
    `"resource":${objectText(resource)},"attributes":{"vcml.boot.id":"${BOOT_ID}",` +
    `"vcml.boot_time":"${n}000000000","vcml.hook.id":"${hook}","vcml.cpu":${cpu},"vcml.seq":${seq},` +
    `"process.vpid":${n + 2}${environment},"process.executable.path":${json(executable)},` +
    `"process.args_count":${args.length},"process.command_args":[${args.map(json).join(',')}],` +
    `"process.interactive":true${more}}}`
  );
}

/** Returns of the record of a line what notes of that line need. */
export function recordToNote(line: string): CausalRecord {
  const { id, action, parent_cause: parent } = JSON.parse(line);
  const record =
    action === 'exec'
      ? { action, id: uuidOf(id), parentCause: parent === null ? null : uuidOf(parent) }
      : { action, id };
  return record as CausalRecord;
}

/** Exec lines `from` to below `to`. */
export function execLines(from: number, to: number, options: LineOptions = {}): string[] {
  return Array.from({ length: to - from }, (_, index) => execLine(from + index, options));
}

/** The id in a line. */
export function idIn(line: string): string {
  return /"id":"([^"]*)"/.exec(line)?.[1] ?? '';
}

/** The line of a record about the journal. */
export function journalLine(action: string, n: number, attributes: string): string {
  return (
    `{"id":"${idOf(n)}","timestamp":${BASE_NANOS + BigInt(n)},` +
    '"actor":{"pid":1,"ppid":0,"uid":0,"gid":0,"comm":"node"},' +
    `"action":"${action}","object":"/usr/bin/node","permitted_by":"root_event:${action}",` +
    `"parent_cause":null,"resource":{"host.name":"node-1"},"attributes":{"vcml.hook.id":"1"${attributes}}}`
  );
}

/** Returns lines of hostile content, always the same ones for a seed. */
export function hostileLines(count: number, seed: number): string[] {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  // A piece of 16 KiB now and then, not in every line.
  const piece = () => HOSTILE[below(below(50) === 0 ? HOSTILE.length : HOSTILE.length - 1)] ?? '';
  const text = () => Array.from({ length: 1 + below(4) }, piece).join('');
  return Array.from({ length: count }, (_, n) =>
    execLine(n, {
      object: `/${text()}`,
      comm: text(),
      executable: `/${text()}`,
      args: Array.from({ length: below(6) }, text),
      environment: below(3) === 0 ? environmentText(n, text) : '',
      resource: {
        'host.name': `node-${below(3)}`,
        ...(below(2) === 0 ? {} : { 'container.image.tags': [text()], 'k8s.pod.name': text() }),
      },
    }),
  );
}

/** What an exec says of its environment; variables stand in the order of their names. */
function environmentText(n: number, text: () => string): string {
  const digits = n.toString(16).padStart(4, '0');
  return (
    `,"vcml.trace.trace_id":"1${digits.repeat(7)}abc","vcml.trace.span_id":"a${digits.repeat(3)}123"` +
    `,"vcml.trace.flags":${n % 256}${n % 2 === 0 ? ',"vcml.process.environment_truncated":true' : ''}` +
    `,"process.environment_variable.B":${json(`${n}${text()}`)}` +
    `,"process.environment_variable.a":${json(`${text()}${n}`)}`
  );
}

/** The same lines in the same order; shows the first that differs. */
export function sameLines(found: readonly string[], expected: readonly string[]): void {
  for (const [index, line] of expected.entries())
    if (found[index] !== line) equal(found[index]?.slice(0, 2000), line.slice(0, 2000));
  equal(found.length, expected.length);
}

function idOf(n: number): string {
  return `00000000-0000-5000-8000-${n.toString(16).padStart(12, '0')}`;
}

function objectText(attributes: Readonly<Record<string, string | readonly string[]>>): string {
  const fields = Object.entries(attributes).map(([key, value]) =>
    typeof value === 'string'
      ? `${json(key)}:${json(value)}`
      : `${json(key)}:[${value.map(json).join(',')}]`,
  );
  return `{${fields.join(',')}}`;
}
