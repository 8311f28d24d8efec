/** `make killpoints`: tries every point, or every KILLPOINTS_STEP-th, and prints what it finds. */

import { sweep } from './sweep.ts';
import { Bench } from './world.ts';

const PROGRESS_EVERY = 100;

using bench = await Bench.create();
let tried = 0;
const points = await sweep(bench, {
  step: Number(process.env.KILLPOINTS_STEP ?? 1),
  from: 1,
  onPoint({ at, findings }) {
    for (const finding of findings) console.log(`${at}: ${finding}`);
    if (++tried % PROGRESS_EVERY === 0) console.log(`${tried} points`);
  },
});
const unsound = points.filter(({ findings }) => findings.length > 0).length;
console.log(`${points.length} points, ${unsound} with findings`);
process.exitCode = Math.min(unsound, 1);
