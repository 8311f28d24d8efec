import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { exec, text } from '../../../check/craft.ts';
import { type Folder, segment } from '../../../support/forensics.ts';
import { VCML_BIN } from '../../../support/paths.ts';

/** What `vcml tail` answers when a file appears in a folder that it follows. */
export interface Followed {
  readonly code: number;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** Lets `vcml tail` meet a file: it follows a folder, and the file is moved there. */
export async function followed(folder: Folder, name: string, path: string): Promise<Followed> {
  const marks = folder.write(`${name}/marks/${segment(1)}`, '');
  const dir = join(folder.path, name);
  const child = spawn(VCML_BIN, ['tail', '--output', 'jsonl', dir]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  try {
    let pid = 9000;
    const mark = async () => {
      pid += 1;
      while (!stdout.includes(`"process.vpid":${pid},`)) {
        if (child.exitCode !== null) return;
        appendFileSync(marks, `${text(exec(pid, pid, 0, pid))}\n`);
        await pause(100);
      }
    };
    await mark();
    const aside = join(folder.path, 'aside');
    copyFileSync(path, aside);
    mkdirSync(join(dir, 'case'));
    renameSync(aside, join(dir, 'case', basename(path)));
    // What is read in the same moment as the first of these marks is printed before the second.
    await mark();
    await mark();
    return { ...(await ended(child)), stderr, lines: stdout.split('\n').filter(isOfTheCase) };
  } finally {
    child.kill('SIGKILL');
  }
}

async function ended(child: ChildProcess): Promise<{ code: number }> {
  if (child.exitCode !== null) return { code: child.exitCode };
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  return { code: Number(code) };
}

function isOfTheCase(line: string): boolean {
  return line !== '' && !/"process\.vpid":9\d\d\d,/.test(line);
}
