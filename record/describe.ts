/**
 * Describes a record in words. The terminal, the reader, the report's page and the body of an
 * exported log record take their wording from here and add only their layout. All texts are safe to
 * show.
 */
import type { Key } from './fields.ts';
import { commandLine, plain, shortened, visible, word } from './visible.ts';

/**
 * Reads an attribute by its key; undefined or null means that the record has none. Only the type of
 * the declarations is imported, because the report's page would otherwise contain their texts.
 */
export type AttributeReader = (key: Key) => unknown;

/**
 * Returns the command of an exec: its arguments as a shell would read them, and what was executed unless it
 * is named by them. Arguments are what the caller chose: `/tmp/evil as sshd -D`, and `/tmp/sshd -D` for
 * `sshd -D`. Only programs in the system's folders go by their names, and scripts are named behind
 * their interpreters. What is truncated, here or when it was recorded, ends with `…`.
 */
export function commandInWords(object: string, attribute: AttributeReader, max: number): string {
  const given = attribute('process.command_args');
  const args = Array.isArray(given) ? given.map(plain) : [];
  const isObjectCut = attribute('vcml.object.truncated') === true;
  const interpreter = textOf(attribute, 'process.executable.path');
  const invoked: Invoked = { object: plain(object), isObjectCut, interpreter };
  const command = commandOf(invoked, args, max);
  const isCut = command.length > max || attribute('vcml.process.args_truncated') === true;
  return isCut ? `${shortened(command, max, '')} …` : command;
}

interface Invoked {
  readonly object: string;
  readonly isObjectCut: boolean;
  /** the file that runs, which is another one for a script */
  readonly interpreter: string | undefined;
}

function commandOf(invoked: Invoked, args: readonly string[], max: number): string {
  const { object, isObjectCut } = invoked;
  const [name] = args;
  const shown = `${word(object)}${isObjectCut ? '…' : ''}`;
  // Every argument takes a character at least, so that `max` arguments are enough.
  const line = commandLine(args.slice(0, max));
  if (name === undefined) return shown;
  if (isScript(invoked, args, max)) return line;
  if (nameOf(name) !== nameOf(object) || isObjectCut) return `${shown} as ${line}`;
  const isKnown = !name.includes('/') && SYSTEM.test(object);
  return isKnown ? line : commandLine([object, ...args.slice(1, max)]);
}

/**
 * The kernel puts an interpreter, at most one argument, and the script in the place of the first
 * argument. A caller can do so itself, but not with another interpreter than the one that runs.
 */
function isScript(
  { object, isObjectCut, interpreter }: Invoked,
  args: readonly string[],
  max: number,
): boolean {
  const [name = ''] = args;
  const at = args.indexOf(object);
  if (isObjectCut || at < 1 || at > 2 || interpreter === undefined) return false;
  if (commandLine(args.slice(0, at + 1)).length > max) return false;
  return name === interpreter || isLinkTo(name, interpreter);
}

/** Whether both are in the system's folders, as `/bin/sh` and `/usr/bin/dash`, or `python3` and `python3.13`. */
function isLinkTo(name: string, file: string): boolean {
  if (!SYSTEM.test(name) || !SYSTEM.test(file)) return false;
  return (
    nameOf(file).startsWith(nameOf(name)) || (nameOf(name) === 'sh' && SHELLS.has(nameOf(file)))
  );
}

/** Folders whose programs go by their names. */
const SYSTEM = /^(?:\/usr)?\/s?bin\/[^/]+$/;
const SHELLS = new Set(['bash', 'busybox', 'dash']);

/**
 * Returns the special properties of an exec: how it entered its container or unit, and properties of
 * its file.
 */
export function flagsInWords(attribute: AttributeReader): string[] {
  const entry = textOf(attribute, 'vcml.entry');
  const flags = FILE_FLAGS.filter(([key]) => attribute(key) === true).map(([, words]) => words);
  const place = textOf(attribute, 'vcml.unit') === undefined ? 'container' : 'unit';
  return entry === undefined ? flags : [`${place} entry: ${entry}`, ...flags];
}

const FILE_FLAGS = [
  ['vcml.executable.memfd', 'memfd'],
  ['vcml.executable.upper_layer', 'upper layer'],
  ['vcml.executable.setuid', 'setuid'],
  ['vcml.executable.unlinked', 'unlinked'],
] as const;

/**
 * Returns the reason of a gap, with the ancestor if the record names one: `predates_hook: sshd[1]`.
 */
export function gapInWords(attribute: AttributeReader): string {
  const reason = textOf(attribute, 'vcml.gap.reason') ?? 'no reason given';
  const ancestor = ancestorInWords(attribute);
  return ancestor === undefined ? reason : `${reason}: ${ancestor}`;
}

/** Returns the reason of a gap with everything that the record knows about the missing cause. */
export function gapInFull(attribute: AttributeReader): string {
  const lost = textOf(attribute, 'vcml.gap.lost_cause');
  const path = textOf(attribute, 'vcml.gap.ancestor.executable.path');
  const began = textOf(attribute, 'vcml.gap.ancestor.start_time');
  const details = [
    lost === undefined ? '' : `: the record ${lost} was lost`,
    path === undefined ? '' : ` (${path})`,
    began === undefined ? '' : `, began ${began}, before the hook`,
  ];
  return `${gapInWords(attribute)}${details.join('')}`;
}

/** `comm[pid]` of a process that began before the hook was attached. */
export function ancestorInWords(attribute: AttributeReader): string | undefined {
  const pid = textOf(attribute, 'vcml.gap.ancestor.pid');
  if (pid === undefined) return undefined;
  const path = textOf(attribute, 'vcml.gap.ancestor.executable.path');
  const comm = textOf(attribute, 'vcml.gap.ancestor.comm') ?? (path && nameOf(path)) ?? '?';
  return `${comm}[${pid}]`;
}

/** The description of a `journal.loss`. */
export interface LossInWords {
  /** such as `298 records` or `an unknown number of records` */
  readonly records: string;
  readonly stage: string;
  /** undefined if the loss does not belong to one CPU */
  readonly cpu: string | undefined;
  /** the first and the last missing number, such as `10 to 307` */
  readonly numbers: string | undefined;
}

/** Describes a loss; `count` formats the number of records. */
export function lossInWords(attribute: AttributeReader, count = counted): LossInWords {
  const first = textOf(attribute, 'vcml.loss.first_seq');
  const last = textOf(attribute, 'vcml.loss.last_seq');
  return {
    records: count(attribute('vcml.loss.count'), 'record'),
    stage: textOf(attribute, 'vcml.loss.stage') ?? 'no stage given',
    cpu: textOf(attribute, 'vcml.loss.cpu'),
    numbers: first === undefined ? undefined : `${first} to ${last ?? '?'}`,
  };
}

/** Describes a `journal.withheld`: how many records, and their CPU. */
export function withheldInWords(attribute: AttributeReader): string {
  const records = counted(attribute('vcml.withheld.count'), 'record');
  return `rules withheld ${records} of cpu ${textOf(attribute, 'vcml.withheld.cpu') ?? '?'}`;
}

/** Describes a `journal.checkpoint`: how many there are in its epoch, and why that began. */
export function checkpointInWords(attribute: AttributeReader): string {
  const size = textOf(attribute, 'vcml.checkpoint.size') ?? 'an unknown number';
  const reason = textOf(attribute, 'vcml.checkpoint.reason');
  return `checkpoint ${size}${reason === undefined ? '' : `, the first of an epoch: ${reason}`}`;
}

/** Describes a `journal.start` or `journal.stop`: the hook's state, the agent, the run's counts. */
export function runInWords(attribute: AttributeReader): string {
  const agent = textOf(attribute, 'vcml.agent.version');
  const counts = RUN_COUNTS.filter(([key]) => (attribute(key) ?? undefined) !== undefined).map(
    ([key, noun]) => counted(attribute(key), noun),
  );
  return [
    hookInWords(attribute),
    agent === undefined ? '' : `, vcml-agent ${agent}`,
    counts.length === 0 ? '' : `; ${counts.join(', ')}`,
  ].join('');
}

const RUN_COUNTS = [
  ['vcml.journal.records', 'record'],
  ['vcml.journal.gaps', 'gap'],
  ['vcml.journal.losses', 'loss'],
] as const;

/** The hook's state, such as `hook attached`. */
export function hookInWords(attribute: AttributeReader): string {
  return `hook ${textOf(attribute, 'vcml.hook.state') ?? 'in an unknown state'}`;
}

/** Returns `1 record` or `2 records`; a value that is not a number counts as unknown. */
export function counted(count: unknown, noun: string): string {
  const known = typeof count === 'number' || typeof count === 'bigint';
  return `${known ? count : 'an unknown number of'} ${count === 1 ? noun : plural(noun)}`;
}

/** The plural of a regular noun. */
export function plural(noun: string): string {
  return noun.endsWith('s') ? `${noun}es` : `${noun}s`;
}

/** The names of the place that a record's resource gives; undefined: it has no such name. */
export interface PlaceNames {
  readonly node: string | undefined;
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  /** the container's name, or its id if it has no name */
  readonly container: string | undefined;
}

/** Finds the names of a place in a resource. */
export function placeNames(resource: Readonly<Record<string, unknown>>): PlaceNames {
  const name = (...keys: readonly Key[]) =>
    keys.map((key) => textOf((key) => resource[key], key)).find((text) => text !== undefined);
  return {
    node: name('k8s.node.name', 'host.name'),
    namespace: name('k8s.namespace.name'),
    pod: name('k8s.pod.name'),
    container: name('k8s.container.name', 'container.name', 'container.id'),
  };
}

/** Returns `namespace/pod/container`, as far as they are known; empty for the host itself. */
export function containerPlace({ namespace, pod, container }: PlaceNames): string {
  return [namespace, pod, container].filter((name) => name !== undefined).join('/');
}

/** The last part of a path; a login shell's name begins with `-`. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
}

function textOf(attribute: AttributeReader, key: Key): string | undefined {
  return visible(plain(attribute(key) ?? '')) || undefined;
}
