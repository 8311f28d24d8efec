import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { type ReportInput, renderReport } from '../../../forensics/report/render.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Chromium, reports as files in it, and everything they did that a report may not do. */
export class ReportBrowser {
  /** for each report: errors, dialogs, and requests for anything but the file itself */
  readonly misdeeds: string[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'vcml-report-'));
  readonly #browser: Browser;
  #files = 0;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<ReportBrowser> {
    return new ReportBrowser(await launchChromium());
  }

  /** Writes the report to a file and opens it; resolves when its records are visible. */
  async open(input: ReportInput, options: BrowserContextOptions = {}): Promise<Page> {
    return this.openFile(this.write(input), options);
  }

  /** The path of the report as a file. */
  write(input: ReportInput): string {
    const path = join(this.#directory, `${this.#files++}.html`);
    writeFileSync(path, renderReport(input));
    return path;
  }

  async openFile(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const url = pathToFileURL(path).href;
    const context = await this.#browser.newContext({
      viewport: { width: 1400, height: 900 },
      ...options,
    });
    const page = await context.newPage();
    watch(page, this.misdeeds, (place) => place === url);
    await page.goto(url);
    await page.locator('#status:not(:empty)').waitFor();
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Starts the Chromium of the machine. */
export function launchChromium(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: apt-get install chromium`);
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** Notes errors, dialogs, and requests for addresses that are not its own, without their fragments. */
export function watch(page: Page, misdeeds: string[], isOwn: (place: string) => boolean): void {
  page.on('pageerror', (error) => misdeeds.push(`error: ${error.message}`));
  page.on('console', (message) => misdeeds.push(`console: ${message.text()}`));
  page.on('dialog', (dialog) => {
    misdeeds.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!isOwn(request.url())) misdeeds.push(`request: ${request.url()}`);
  });
  page.on('framenavigated', (frame) => {
    const [place = ''] = frame.url().split('#');
    if (!isOwn(place) && place !== 'about:blank') misdeeds.push(`navigation: ${frame.url()}`);
  });
}

/** Returns the text of the only matching element. */
export async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent()) ?? '';
}
