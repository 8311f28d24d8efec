import type { Records } from './records.ts';
import { counted, fullTime, nanosecondsFrom, plain, shortened, visible, word } from './text.ts';

const COMMAND_MAX = 300;

/** Why a chain ends at a record, or what is missing there. */
export interface Hole {
  /** such as `gap:predates_hook`, `loss:ring_buffer`, `outside`; records of one kind belong together */
  readonly kind: string;
  readonly sign: '⁇' | '‼' | '…';
  readonly text: string;
}

const FLAGS: readonly (readonly [field: string, text: string])[] = [
  ['attributes.vcml.executable.memfd', 'memfd'],
  ['attributes.vcml.executable.upper_layer', 'upper layer'],
  ['attributes.vcml.executable.setuid', 'setuid'],
  ['attributes.vcml.executable.unlinked', 'unlinked'],
];

/** What the page says about a record, from its fields. */
export class Describer {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  /** The command, or what else the record tells. */
  title(record: number): string {
    const action = this.#text(record, 'action');
    if (action === 'exec') return this.#command(record);
    const state = this.#field(record, 'vcml.hook.state');
    if (action === 'journal.start') return `▶ journal.start${state && `: hook ${state}`}`;
    if (action === 'journal.stop') return `■ journal.stop${state && `: hook ${state}`}`;
    if (action === 'journal.loss') return 'journal.loss';
    return shortened(`${action} ${word(this.#records.get(record, 'object'))}`, COMMAND_MAX);
  }

  time(record: number): string {
    return fullTime(nanosecondsFrom(this.#records.get(record, 'timestamp')));
  }

  pid(record: number): string {
    return this.#text(record, 'actor.pid');
  }

  user(record: number): string {
    return this.#text(record, 'actor.uid');
  }

  executable(record: number): string {
    return this.#field(record, 'process.executable.path') || this.#text(record, 'object');
  }

  /** namespace/pod, or the container, or the node. */
  place(record: number): string {
    const resource = this.#records.get(record, 'resource');
    const values = typeof resource === 'object' && resource !== null ? resource : {};
    const get = (key: string): unknown => (values as Record<string, unknown>)[key];
    const pod = get('k8s.pod.name') ?? get('k8s.pod.uid');
    const container = get('k8s.container.name') ?? get('container.name') ?? get('container.id');
    const node = get('k8s.node.name') ?? get('host.name');
    const parts = pod === undefined ? [container ?? node] : [get('k8s.namespace.name'), pod];
    return parts
      .filter((part) => part !== undefined)
      .map(visible)
      .join('/');
  }

  hole(record: number): Hole | undefined {
    const action = this.#text(record, 'action');
    if (action === 'journal.loss') return this.#loss(record);
    const cause = this.#records.get(record, 'parent_cause') ?? null;
    if (cause !== null) {
      if ((this.#records.causes[record] ?? -1) >= 0) return undefined;
      const text = `its cause is not in this report: ${visible(cause)}`;
      return { kind: 'outside', sign: '…', text };
    }
    if (this.#text(record, 'permitted_by').startsWith('root_event:')) return undefined;
    const reason = this.#field(record, 'vcml.gap.reason') || 'no reason given';
    return { kind: `gap:${reason}`, sign: '⁇', text: `${reason}${this.#ancestor(record)}` };
  }

  /** What stands out about an exec: how it came into its container, and what file it runs. */
  flags(record: number): readonly string[] {
    const entry = this.#field(record, 'vcml.entry');
    const flags = FLAGS.filter(([field]) => this.#records.get(record, field) === true);
    const noted = this.#records.notes.has(plain(this.#records.get(record, 'id')));
    return [
      ...(entry ? [`container entry: ${entry}`] : []),
      ...flags.map(([, text]) => text),
      ...(noted ? ['noted'] : []),
    ];
  }

  /** The arguments; led by the object where none of them says what was executed. */
  #command(record: number): string {
    const object = plain(this.#records.get(record, 'object') ?? '');
    const args = this.#records.get(record, 'attributes.process.command_args');
    if (!Array.isArray(args) || args.length === 0) return shortened(word(object), COMMAND_MAX);
    const words = args.slice(0, COMMAND_MAX).map(word).join(' ');
    const named = args.some((arg) => lastPart(plain(arg)) === lastPart(object));
    const cut = this.#records.get(record, 'attributes.vcml.process.args_truncated') === true;
    return `${shortened(named ? words : `${word(object)} as ${words}`, COMMAND_MAX)}${cut ? ' …' : ''}`;
  }

  #loss(record: number): Hole {
    const stage = this.#field(record, 'vcml.loss.stage') || 'no stage given';
    const count = this.#records.get(record, 'attributes.vcml.loss.count');
    const cpu = this.#field(record, 'vcml.loss.cpu');
    const first = this.#field(record, 'vcml.loss.first_seq');
    const last = this.#field(record, 'vcml.loss.last_seq');
    const lost =
      typeof count === 'number' ? `${counted(count, 'record')} lost` : 'unknown number lost';
    const where = `${cpu && `, CPU ${cpu}`}${first && `, numbers ${first} to ${last}`}`;
    return { kind: `loss:${stage}`, sign: '‼', text: `${lost}: ${stage}${where}` };
  }

  #ancestor(record: number): string {
    const pid = this.#field(record, 'vcml.gap.ancestor.pid');
    if (pid === '') return '';
    const path = this.#field(record, 'vcml.gap.ancestor.executable.path');
    return `: ${this.#field(record, 'vcml.gap.ancestor.comm') || lastPart(path)}[${pid}]`;
  }

  #field(record: number, attribute: string): string {
    return this.#text(record, `attributes.${attribute}`);
  }

  #text(record: number, field: string): string {
    const value = this.#records.get(record, field);
    return value === undefined || value === null ? '' : visible(value);
  }
}

/** A login shell's name begins with `-`. */
function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
}
