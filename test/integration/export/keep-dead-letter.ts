/** Keeps a dead letter in the folder that is its first argument, however often the disk refuses it. */

import { keepDeadLetter } from '../../../agent/export/send/dead-letters.ts';
import { readLines } from '../../../agent/journal/read.ts';

const [dir = '', mayBeUnsynced] = process.argv.slice(2);
const letter = {
  start: { segment: 1, offset: 0 },
  refusal: { code: 'INTERNAL', details: '' },
  line: 'a line',
};
const options = { log: () => {}, mayBeUnsynced: mayBeUnsynced === 'true' };
for (let isKept = false; !isKept; )
  try {
    await keepDeadLetter({ dir, readLines: (from) => readLines(dir, from) }, letter, options);
    isKept = true;
  } catch (error) {
    console.log(`${error}`);
  }
