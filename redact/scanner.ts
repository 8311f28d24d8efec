import { createFinder } from './finder.ts';
import type { Anchor, Look, Reading, Span } from './reading.ts';

/** More places than this that look like secrets are an attack on the agent's time. */
export const LOOKS_MAX = 512;

/** Makes a function that finds secrets in one text; undefined: there is none. */
export function createScanner(
  anchors: readonly Anchor[],
): (reading: Reading) => Span[] | undefined {
  const finder = createFinder<readonly [length: number, look: Look]>(
    anchors.map(([keyword, look]) => [keyword, [keyword.length, look]]),
  );

  function lookAt(reading: Reading, state: number, done: number): Span | undefined {
    for (const [length, look] of finder.found(state)) {
      const span = look(reading, finder.at - length, finder.at);
      if (span !== undefined && span.from >= done) return span;
    }
    return undefined;
  }

  return (reading) => {
    const { text } = reading;
    let spans: Span[] | undefined;
    let done = 0;
    let at = 0;
    for (let state = 0; ; ) {
      state = finder.find(text, at, state);
      if (state < 0) return spans;
      at = finder.at;
      const tired = reading.looks > LOOKS_MAX;
      const span = tired
        ? { from: Math.max(at, done), to: text.length }
        : lookAt(reading, state, done);
      if (span === undefined) continue;
      spans ??= [];
      spans.push(span);
      done = span.to;
      at = Math.max(at, span.to);
      state = 0;
    }
  };
}
