import { button, byId, element } from '../../report/page/dom.ts';
import { counted, fullTime, nanosecondsFrom, visible } from '../../report/page/text.ts';
import type { Summary } from './answers.ts';
import { Asker } from './ask.ts';

const WARNINGS_SHOWN = 3;

/** Shows what the page is about. */
export function showSummary(summary: Summary): void {
  const { title, inputs, warnings, records, auditLog } = summary;
  document.title = `${visible(title)} – vcml`;
  byId('title', HTMLElement).textContent = visible(title);
  const since = summary.since === null ? '' : ` (--since ${visible(summary.since)})`;
  byId('about-summary', HTMLElement).textContent =
    `${counted(Number(records), 'record')} in ${counted(inputs.length, 'input')}${since}`;
  byId('facts', HTMLElement).append(
    fact('Time', timeWords(summary)),
    fact('Read at', readAt(summary)),
    fact('Read from', element('ul', {}, ...inputs.map(inputItem))),
    ...(auditLog === null ? [] : [fact('Audit log', visible(auditLog))]),
  );
  showWarnings(warnings.map(visible));
}

function showWarnings(warnings: readonly string[]): void {
  const items = warnings.map((text) => element('li', { dir: 'ltr' }, `‼ ${text}`));
  byId('warnings', HTMLElement).append(...items.slice(0, WARNINGS_SHOWN));
  const rest = items.slice(WARNINGS_SHOWN);
  if (rest.length === 0) return;
  const summary = element('summary', {}, `${rest.length.toLocaleString('en')} more warnings`);
  const more = element('details', {}, summary, element('ul', {}, ...rest));
  byId('warnings', HTMLElement).append(element('li', {}, more));
}

function inputItem({ path, records, skippedLines }: Summary['inputs'][number]): HTMLElement {
  const skipped = skippedLines > 0 ? `, ${counted(skippedLines, 'line')} skipped` : '';
  const text = `${visible(path)} (${counted(records, 'record')}${skipped})`;
  return element('li', { dir: 'ltr' }, text);
}

function readAt({ loaded, isRepeatable }: Summary): Node | string {
  if (loaded === null) return 'each question';
  const at = `${time(loaded)} UTC`;
  return isRepeatable ? element('span', {}, `${at} `, againButton()) : at;
}

/** Has the server read the inputs again, and then shows the same place. */
function againButton(): HTMLButtonElement {
  const again = button('Read again', () => void read());
  const read = async (): Promise<void> => {
    again.disabled = true;
    again.textContent = 'Reading …';
    try {
      await new Asker().ask('/api/again');
      location.reload();
    } catch (error) {
      byId('problem', HTMLElement).textContent = visible((error as Error).message);
      again.disabled = false;
      again.textContent = 'Read again';
    }
  };
  return again;
}

function timeWords({ first, last }: Summary): string {
  return first === null || last === null ? 'none' : `${time(first)} to ${time(last)} UTC`;
}

function time(nanoseconds: string): string {
  return fullTime(nanosecondsFrom(nanoseconds)).slice(0, 23);
}

function fact(name: string, value: Node | string): HTMLElement {
  return element('div', {}, element('dt', {}, name), element('dd', { dir: 'ltr' }, value));
}
