import type { OutputConfiguration } from 'commander';
import { visible } from '../../record/visible.ts';

/** Lets the messages about bad usage begin with the program's name. */
export function refusal(name: string): OutputConfiguration {
  return {
    outputError: (text, write) =>
      write(
        visible(text.trimEnd())
          .replace(/^error:/, `${name}:`)
          .concat('\n'),
      ),
  };
}
