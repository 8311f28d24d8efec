import { visible, word } from '../../record/visible.ts';
import { createUserNames } from './users.ts';
import type { View } from './view.ts';

const RECENT_MAX = 16_384;
/** A few lines on a terminal; all of it is in the journal. */
const COMMAND_MAX = 500;

export interface TextOptions {
  readonly colours: boolean;
  readonly userName?: (uid: number) => string;
  readonly now?: () => number;
}

/** One readable line per record, ended by a line feed; remembers recent commands to name parents. */
export function createTextWriter(options: TextOptions): (view: View) => string {
  const { userName = createUserNames(), now = Date.now } = options;
  const paint = painter(options.colours);
  const recent = new Map<string, string>();

  function exec(view: View): string {
    const name = `${visible(view.comm)}[${view.pid}]`;
    const parent = view.parentCause === undefined ? undefined : recent.get(view.parentCause);
    remember(recent, view.id, name);
    const because =
      view.parentCause === undefined
        ? paint('gap', `⁇ ${gapText(view)}`)
        : paint('dim', `← ${parent ?? `${visible(view.parentCause.slice(0, 8))}…`}`);
    const user = visible(userName(view.uid)).padEnd(8);
    return `${user} ${String(view.pid).padStart(7)}  ${placeText(view)}${commandText(view)}  ${because}`;
  }

  return (view) => {
    const time = paint('dim', timeText(view.timeMs, now()));
    if (view.action === 'exec') return `${time}  ${exec(view)}\n`;
    if (view.action === 'journal.loss') return `${time}  ${paint('loss', lossText(view))}\n`;
    return `${time}  ${paint('dim', lifeText(view))}\n`;
  };
}

function remember(recent: Map<string, string>, id: string, name: string): void {
  if (recent.size >= RECENT_MAX)
    for (const oldest of recent.keys()) {
      recent.delete(oldest);
      break;
    }
  recent.set(id, name);
}

/** Local time; the date as well where it is not today. */
function timeText(ms: number, now: number): string {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return '??:??:??.???';
  const two = (value: number) => String(value).padStart(2, '0');
  const millis = String(at.getMilliseconds()).padStart(3, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`;
  if (at.toDateString() === new Date(now).toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

function placeText({ resource }: View): string {
  const namespace = resource['k8s.namespace.name'];
  const pod = resource['k8s.pod.name'];
  const container = resource['k8s.container.name'] ?? resource['container.id'];
  if (pod === undefined && container === undefined) return '';
  const parts = [namespace, pod, container].filter((part) => part !== undefined);
  return `${visible(parts.join('/'))}: `;
}

/** The arguments; led by the object where none of them says what was executed. */
function commandText({ object, attributes }: View): string {
  const args = attributes['process.command_args'];
  if (!Array.isArray(args) || args.length === 0) return shortened(word(object));
  const words = args.map((arg) => word(String(arg))).join(' ');
  const named = args.some((arg) => lastPart(String(arg)) === lastPart(object));
  const all = named ? words : `${word(object)} as ${words}`;
  return shortened(all, attributes['vcml.process.args_truncated'] === true);
}

function shortened(text: string, wasCut = false): string {
  if (text.length <= COMMAND_MAX) return wasCut ? `${text} …` : text;
  // A half of a surrogate pair is no character.
  return `${text.slice(0, COMMAND_MAX).replace(/[\ud800-\udbff]$/, '')} …`;
}

/** A login shell's name begins with `-`. */
function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
}

function gapText({ attributes }: View): string {
  const reason = visible(String(attributes['vcml.gap.reason'] ?? 'unknown'));
  const pid = attributes['vcml.gap.ancestor.pid'];
  if (pid === undefined) return reason;
  const path = attributes['vcml.gap.ancestor.executable.path'];
  const comm = attributes['vcml.gap.ancestor.comm'] ?? (path && lastPart(String(path))) ?? '';
  return `${reason}: ${visible(`${comm}[${pid}]`)}`;
}

function lossText({ attributes }: View): string {
  const count = attributes['vcml.loss.count'];
  const cpu = attributes['vcml.loss.cpu'];
  const what = count === undefined ? 'an unknown number of records' : plural(count, 'record');
  const where = cpu === undefined ? '' : ` on cpu ${cpu}`;
  return visible(`‼ lost ${what}${where} (${attributes['vcml.loss.stage']})`);
}

function lifeText({ action, attributes }: View): string {
  const state = `hook ${attributes['vcml.hook.state']}`;
  if (action === 'journal.start')
    return visible(`▶ journal.start: ${state}, vcml-agent ${attributes['vcml.agent.version']}`);
  if (action !== 'journal.stop') return visible(action);
  const counts = ['record', 'gap', 'loss'].map((noun) =>
    plural(attributes[`vcml.journal.${nouns(noun)}`] ?? 0, noun),
  );
  return visible(`■ journal.stop: ${state}; ${counts.join(', ')}`);
}

function plural(count: unknown, noun: string): string {
  return `${count} ${count === 1 ? noun : nouns(noun)}`;
}

function nouns(noun: string): string {
  return noun.endsWith('s') ? `${noun}es` : `${noun}s`;
}

function painter(colours: boolean): (kind: 'dim' | 'gap' | 'loss', text: string) => string {
  const codes = { dim: '2', gap: '33', loss: '1;31' };
  return (kind, text) => (colours ? `\x1b[${codes[kind]}m${text}\x1b[m` : text);
}
