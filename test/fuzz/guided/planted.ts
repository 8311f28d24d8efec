import type { Target } from './target.ts';

/** What a run has to find, for guided.test.ts: three bytes one after the other, and a hang. */
export function createTargets(): readonly Target[] {
  return [
    {
      name: 'planted',
      property: 'no input begins with "vcm"',
      seeds: ['0000'],
      check(input) {
        if (input[0] === 0x76) {
          if (input[1] === 0x63) {
            if (input[2] === 0x6d) throw new Error('found');
          }
        }
      },
    },
    {
      name: 'hangs',
      property: 'no input is long',
      seeds: ['0000'],
      check(input) {
        while (input.length > 8);
      },
    },
  ];
}
