import type { Reading } from './reading.ts';

const SCRIPT_OPTION = /^-[A-Za-z]*c$|^--command$/;
/** the last letters of these options: other ones need no look */
const END_OF_C = 'c'.charCodeAt(0);
const END_OF_COMMAND = 'd'.charCodeAt(0);
const REMOTE = /(?:^|\/)(?:ssh|watch|eval)$/;

/** Makes the state of a reading; one is used again and again. */
export function createReading(): Reading {
  return {
    args: [],
    index: 0,
    text: '',
    script: false,
    awaited: undefined,
    runs: false,
    walked: [],
    walkedArgs: 0,
    walkedText: 0,
    walkedEcho: 0,
    words: 0,
    spans: [],
    exempt: [],
    unknown: true,
    user: false,
    named: false,
    quotesRead: 0,
    quote: '',
    looks: 0,
  };
}

/** Forgets what was read before. */
export function restart(reading: Reading, args: readonly string[]): void {
  reading.args = args;
  reading.awaited = undefined;
  reading.runs = false;
  if (reading.walked.length > 0) reading.walked.length = 0;
  reading.walkedArgs = 0;
  reading.words = 0;
  reading.unknown = true;
  reading.user = false;
  reading.named = false;
  reading.looks = 0;
}

/** Begins the next argument; `text` is all that is read of it. */
export function beginArgument(reading: Reading, index: number, text: string): void {
  const { args, walked } = reading;
  reading.index = index;
  reading.text = text;
  reading.script = isScript(args, index, text);
  reading.quotesRead = 0;
  reading.quote = '';
  reading.walkedText = 0;
  reading.walkedEcho = 0;
  if (reading.spans.length > 0) reading.spans = [];
  if (reading.exempt.length > 0) reading.exempt = [];
  if (walked.length <= index) return;
  for (const span of walked[index]?.spans ?? [])
    if (span.to <= text.length) reading.spans.push(span);
}

/** Whether an argument is a script, as behind `sh -c` and `ssh host`. */
function isScript(args: readonly string[], index: number, text: string): boolean {
  if (index === 0) return false;
  const before = args[index - 1] ?? '';
  const last = before.charCodeAt(before.length - 1);
  if ((last === END_OF_C || last === END_OF_COMMAND) && SCRIPT_OPTION.test(before)) return true;
  return text.includes(' ') && REMOTE.test(args[0] ?? '');
}
