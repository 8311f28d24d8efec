import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, VCML_BIN } from '../support/paths.ts';

/**
 * A page of docs/ whose commands a test runs for real. The questions and answers of the run, from which
 * the page is made, are in build/e2e.
 */
export class Tutorial {
  /** The text of the page. */
  readonly page: string;
  readonly #folder: string;
  readonly #transcript: string;
  readonly #commands: string[] = [];
  readonly #names: [text: string, name: string][] = [];

  constructor(name: string, folder: string) {
    this.page = readFileSync(join(ROOT, `docs/${name}.md`), 'utf8');
    this.#folder = folder;
    this.#transcript = join(ROOT, `build/e2e/${name}.txt`);
    writeFileSync(this.#transcript, '');
  }

  /** Shows a text of this run under the name that the page has for it, such as that of a variable. */
  show(text: string, name: string): void {
    this.#names.push([text, name]);
  }

  /** Runs `vcml` in the folder; returns stdout and stderr. */
  async ask(...args: readonly string[]): Promise<string> {
    const answer = await new Promise<string>((resolve, reject) =>
      execFile(VCML_BIN, args, { cwd: this.#folder }, (error, stdout, stderr) =>
        error === null
          ? resolve(stdout + stderr)
          : reject(new Error(`${args.join(' ')}: ${stdout}${stderr}`, { cause: error })),
      ),
    );
    this.note(['vcml', ...args], answer);
    return answer;
  }

  /** Adds a command that ran elsewhere, and its answer. */
  note(words: readonly string[], answer: string): void {
    const quoted = words.map((word) => (/[\s'*]/.test(word) ? `"${word}"` : word));
    const command = this.#named(quoted.join(' '));
    this.#commands.push(command);
    appendFileSync(this.#transcript, `$ ${command}\n${this.#named(answer)}\n`);
  }

  /** Asserts that the page shows the commands that ran, in their order. */
  assertShown(): void {
    const shown = Array.from(
      this.page.matchAll(/^ {4}\$ (vcml (?:\\\n|.)*)$/gm),
      ([, command = '']) => command.replaceAll(/\\\n\s*/g, ''),
    );
    assert.deepEqual(shown.map(plain), this.#commands.map(plain));
  }

  #named(text: string): string {
    return this.#names.reduce((all, [one, name]) => all.replaceAll(one, name), text);
  }
}

/** Leaves out what differs in each run. */
function plain(command: string): string {
  return command
    .replaceAll(/\b[0-9a-f]{8}\b/g, 'ID')
    .replaceAll(/cart-[0-9a-z]+-[0-9a-z]+/g, 'POD');
}

/** Returns the short ids of the records in an answer. */
export function idsIn(answer: string): string[] {
  return Array.from(answer.matchAll(/^\d.* ([0-9a-f]{8})$/gm), ([, id = '']) => id);
}

/** Joins text that is wrapped at 80 columns. */
export function unwrapped(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
