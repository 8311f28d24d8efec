import type { Describer, Hole } from './describe.ts';
import { element } from './dom.ts';

/**
 * Makes a function that renders lines of the tree. The command comes first for a screen reader, and
 * the style shows it last. `longTime` is for reports that span more than a day.
 */
export function rowMaker(describer: Describer, longTime: boolean): (record: number) => HTMLElement {
  return (record) => {
    const hole = describer.hole(record);
    const kind = hole?.sign === '‼' ? 'loss' : hole?.sign === '⁇' ? 'gap' : '';
    const flags = describer.flags(record).map((flag) => element('span', { class: 'flag' }, flag));
    return element(
      'div',
      { class: `row ${kind}` },
      element('span', { class: 'twisty', 'aria-hidden': 'true' }),
      element('bdi', { class: 'command', dir: 'ltr' }, describer.title(record)),
      ...flags,
      ...(hole ? [holeText(hole)] : []),
      element('span', { class: 'time' }, ...timeParts(describer.time(record), longTime)),
      element('span', { class: 'place' }, describer.place(record)),
      element('span', { class: 'user' }, heard('user '), describer.user(record)),
      element('span', { class: 'pid' }, heard('pid '), describer.pid(record)),
    );
  };
}

/** Makes the text of a hole with its sign, which a screen reader reads as a word. */
export function holeText({ kind, sign, text }: Hole): HTMLElement {
  const seen = element('span', { 'aria-hidden': 'true' }, `${sign} `);
  const word = heard(`${kind.startsWith('loss:') ? 'loss' : 'gap'}: `);
  return element('bdi', { class: 'hole', dir: 'ltr' }, word, seen, text);
}

/** The date is a part of its own, which a narrow page leaves out. */
function timeParts(time: string, long: boolean): readonly (Node | string)[] {
  const text = shortTime(time, long);
  return text.length < 23
    ? [text]
    : [element('span', { class: 'date' }, text.slice(0, 11)), text.slice(11)];
}

function heard(text: string): HTMLElement {
  return element('span', { class: 'heard' }, text);
}

/** A time up to the millisecond. */
export function shortTime(time: string, long: boolean): string {
  return time.length < 23 ? time : time.slice(long ? 0 : 11, 23);
}
