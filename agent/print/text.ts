import {
  checkpointInWords,
  commandInWords,
  containerPlace,
  gapInWords,
  lossInWords,
  placeNames,
  runInWords,
} from '../../record/describe.ts';
import { visible } from '../../record/visible.ts';
import { createUserNames } from './users.ts';
import type { View } from './view.ts';

const RECENT_MAX = 16_384;
/** A few lines on a terminal; the journal has the whole command. */
const COMMAND_MAX = 500;

/** How the lines look; names and time are parameters for tests. */
export interface TextOptions {
  readonly colours: boolean;
  readonly userName?: (uid: number) => string;
  readonly now?: () => number;
}

/** Makes a writer of one readable line per record. It remembers recent execs to name parents. */
export function createTextWriter(options: TextOptions): (view: View) => string {
  const { userName = createUserNames(), now = Date.now } = options;
  const paint = painter(options.colours);
  const recent = new Map<string, string>();

  function exec(view: View): string {
    const attribute = (key: string) => view.attributes[key];
    const name = `${visible(view.comm)}[${view.pid}]`;
    const parent = view.parentCause === undefined ? undefined : recent.get(view.parentCause);
    remember(recent, view.id, name);
    const because =
      view.parentCause === undefined
        ? paint('gap', `⁇ ${gapInWords(attribute)}`)
        : paint('dim', `← ${parent ?? `${visible(view.parentCause.slice(0, 8))}…`}`);
    const command = commandInWords(view.object, attribute, COMMAND_MAX);
    const user = visible(userName(view.uid)).padEnd(8);
    return `${user} ${String(view.pid).padStart(7)}  ${placeText(view)}${command}  ${because}`;
  }

  return (view) => {
    const time = paint('dim', timeText(view.timeMs, now()));
    if (view.action === 'exec') return `${time}  ${exec(view)}\n`;
    if (view.action === 'journal.loss') return `${time}  ${paint('loss', lossText(view))}\n`;
    return `${time}  ${paint('dim', lifeText(view))}\n`;
  };
}

/** Beyond the limit and a quarter more, the oldest leave at once: a search for one is not cheap. */
function remember(recent: Map<string, string>, id: string, name: string): void {
  recent.set(id, name);
  let excess = recent.size - RECENT_MAX;
  if (excess <= RECENT_MAX / 4) return;
  for (const oldest of recent.keys()) {
    recent.delete(oldest);
    excess -= 1;
    if (excess === 0) return;
  }
}

/** Local time, after the date if that is not today. */
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
  const names = placeNames(resource);
  const isContainer = names.pod !== undefined || names.container !== undefined;
  return isContainer ? `${containerPlace(names)}: ` : '';
}

function lossText({ attributes }: View): string {
  const { records, cpu, stage } = lossInWords((key) => attributes[key]);
  return `‼ lost ${records}${cpu === undefined ? '' : ` on cpu ${cpu}`} (${stage})`;
}

function lifeText({ action, attributes }: View): string {
  if (action === 'journal.checkpoint') return `✓ ${checkpointInWords((key) => attributes[key])}`;
  const sign = { 'journal.start': '▶', 'journal.stop': '■' }[action];
  if (sign === undefined) return visible(action);
  return `${sign} ${action}: ${runInWords((key) => attributes[key])}`;
}

function painter(colours: boolean): (kind: 'dim' | 'gap' | 'loss', text: string) => string {
  const codes = { dim: '2', gap: '33', loss: '1;31' };
  return (kind, text) => (colours ? `\x1b[${codes[kind]}m${text}\x1b[m` : text);
}
