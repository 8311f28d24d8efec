import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { ReportRecord } from '../../../forensics/report/render.ts';
import { Folder } from '../forensics.ts';
import { VCML_BIN } from '../paths.ts';
import { launchChromium, watch } from '../report/browser.ts';
import { until } from '../until.ts';
import { linesOf } from './journal-of.ts';

type Environment = Readonly<Record<string, string>>;

/** `vcml serve` over journals, Chromium, and everything its pages did that they may not do. */
export class Served {
  /** errors, dialogs, and requests for anything but the server */
  readonly misdeeds: string[] = [];
  readonly origin: string;
  readonly #address: string;
  readonly #folder: Folder;
  readonly #server: ChildProcess;
  readonly #browser: Browser;

  private constructor(address: string, folder: Folder, server: ChildProcess, browser: Browser) {
    this.#address = address;
    this.origin = new URL(address).origin;
    this.#folder = folder;
    this.#server = server;
    this.#browser = browser;
  }

  /** Serves journals with these records, each by the name of its file. */
  static async start(
    journals: Readonly<Record<string, readonly ReportRecord[]>>,
    ...options: readonly string[]
  ): Promise<Served> {
    const folder = new Folder();
    const paths = Object.entries(journals).map(([name, records]) =>
      folder.journal(name, linesOf(records)),
    );
    return Served.#over(folder, [...paths, ...options], {});
  }

  /** Serves these inputs, with options. */
  static overInputs(...inputs: readonly string[]): Promise<Served> {
    return Served.#over(new Folder(), inputs, {});
  }

  /** Serves these inputs with variables of its environment. */
  static overInputsWith(env: Environment, ...inputs: readonly string[]): Promise<Served> {
    return Served.#over(new Folder(), inputs, env);
  }

  static async #over(
    folder: Folder,
    inputs: readonly string[],
    more: Environment,
  ): Promise<Served> {
    const args = ['serve', ...inputs, '--listen', '127.0.0.1:0'];
    const env = { ...process.env, ...more };
    const server = spawn(VCML_BIN, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
    const [line] = await once(createInterface(server.stdout), 'line');
    const address = /http:\S+/.exec(`${line}`)?.[0];
    if (address === undefined) throw new Error(`vcml serve printed ${line}`);
    return new Served(address, folder, server, await launchChromium());
  }

  /** Opens a place of the page in a new browser, as the printed address does. */
  async open(hash = '', options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.#visit(this.addressOf(hash), options);
    await page.locator('#completeness:not(:empty)').waitFor();
    return page;
  }

  /** Opens a place of the page in a browser that does not have the token. */
  openWithoutToken(hash: string): Promise<Page> {
    return this.#visit(`${this.origin}/${hash}`, {});
  }

  /** Opens a place of the page in another tab of a browser that has the token. */
  async openBeside(page: Page, hash: string): Promise<Page> {
    const other = await page.context().newPage();
    this.#watch(other);
    await other.goto(`${this.origin}/${hash}`);
    return other;
  }

  /** The printed address, with a place. */
  addressOf(hash = ''): string {
    return `${this.#address}${hash.replace('#', '&')}`;
  }

  async #visit(url: string, options: BrowserContextOptions): Promise<Page> {
    const viewport = { width: 1400, height: 900 };
    const context = await this.#browser.newContext({ viewport, ...options });
    const page = await context.newPage();
    this.#watch(page);
    await page.goto(url);
    return page;
  }

  #watch(page: Page): void {
    watch(page, this.misdeeds, (place) => place.startsWith(`${this.origin}/`));
  }

  /** Returns the console's messages about refused requests, which a test expects, and forgets them. */
  takeRefusals(): readonly string[] {
    const refusals = this.misdeeds.filter((text) => text.startsWith('console: Failed to load'));
    const others = this.misdeeds.filter((text) => !refusals.includes(text));
    this.misdeeds.splice(0, this.misdeeds.length, ...others);
    return refusals;
  }

  /** Waits for the messages about as many refused requests, and forgets them. */
  async refused(count: number): Promise<void> {
    let found = 0;
    await until(`${count} requests are refused`, () => {
      found += this.takeRefusals().length;
      return found >= count;
    });
  }

  async close(): Promise<void> {
    await this.#browser.close();
    const ended = once(this.#server, 'exit');
    this.#server.kill('SIGTERM');
    await ended;
    this.#folder.close();
  }
}

/** Waits until an element has a text. */
export async function waitForText(page: Page, selector: string, text: RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor();
}
