import type { OutputConfiguration } from 'commander';
import { visible } from '../../record/visible.ts';

/** Lets the messages about bad usage begin with the program's name. */
export function refusal(name: string): OutputConfiguration {
  return {
    outputError: (text, write) =>
      write(
        text
          .trimEnd()
          .split('\n')
          .map((line) => `${visible(line)}\n`)
          .join('')
          .replace(/^error:/, `${name}:`),
      ),
  };
}
