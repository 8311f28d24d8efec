import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { counted } from '../../record/describe.ts';
import { visible } from '../../record/visible.ts';
import { EXIT } from '../errors.ts';
import type { Problem } from '../inputs/find.ts';
import { type Followed, FollowedFiles } from '../inputs/follow.ts';
import { Temporary } from '../inputs/temporary.ts';
import { Journals } from '../journals.ts';
import type { Form } from '../output/form.ts';
import { recordPrinter } from '../output/records.ts';
import { remark } from '../output/stderr.ts';
import { flush } from '../output/stdout.ts';
import { checkedCondition } from '../select/condition.ts';
import type { Condition, Selection } from '../select/filter.ts';
import { entriesByTime, hitsOf } from '../select/ordered.ts';

const POLL_MS = 250;

/** The options of `vcml tail`. */
export interface TailOptions extends Selection {
  readonly output: Form;
}

/** Prints records as they are written to files or folders, until SIGINT or SIGTERM. */
export async function tail(inputs: readonly string[], options: TailOptions): Promise<number> {
  return follow(async (onDamage) => {
    const files = new FollowedFiles(inputs, (path, why) => {
      onDamage();
      say({ path, why });
    });
    files.problems.forEach(say);
    return files;
  }, options);
}

function say({ path, why }: Problem): void {
  remark(visible(`${path}: ${why}`));
}

/** Prints records as they are added to what `open` opens; it calls its argument if some are lost. */
export async function follow(
  open: (onDamage: () => void) => Promise<Followed>,
  options: TailOptions,
): Promise<number> {
  const printer = recordPrinter(options.output === 'json' ? 'jsonl' : options.output);
  const stop = new AbortController();
  // They stay registered: without a listener beside its own, a temporary folder ends the process.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());
  let exitCode = 0;
  const followed = await open(() => {
    exitCode = EXIT.partial;
  });
  const temporary = new Temporary();
  try {
    const news = temporary.file();
    const condition = await checkedOn(news, options);
    while (!stop.signal.aborted) {
      for await (const lines of followed.read()) {
        writeFileSync(news, lines, { mode: 0o600 });
        const journals = await Journals.open([news]);
        try {
          const { sql, columns } = condition;
          await journals.scan('marked', columns, [`${sql} AS hit`]);
          const hits = await hitsOf(journals, 'marked', 'hit');
          for await (const entry of entriesByTime(journals, hits)) await printer.record(entry);
          const skipped = journals.extents.reduce((sum, extent) => sum + extent.skipped, 0);
          if (skipped > 0) {
            exitCode = EXIT.partial;
            remark(`skipped ${counted(skipped, 'line')} that cannot be read`);
          }
        } finally {
          journals.close();
        }
        await flush();
      }
      await pause(POLL_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  } finally {
    temporary.close();
    await followed.close();
  }
  return exitCode;
}

/** Returns the condition for a selection, which the engine has accepted for an empty journal. */
async function checkedOn(path: string, selection: Selection): Promise<Condition> {
  writeFileSync(path, '', { mode: 0o600 });
  const journals = await Journals.open([path]);
  try {
    return await checkedCondition(journals, selection);
  } finally {
    journals.close();
  }
}
