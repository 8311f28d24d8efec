import { byId, element } from '../../report/page/dom.ts';

/** Its name in the address and in the tab's storage, which no other port of this machine can read. */
const NAME = 'token';
/** Other tabs with this server answer at once. */
const WAIT_MS = 200;
const QUESTION = 'token?';

let token = '';

/** Returns the header that says that this page may ask. */
export function authorization(): string {
  return `Bearer ${token}`;
}

/** Finds the token in the address, in this tab, or in another tab with this server. */
export async function findToken(): Promise<void> {
  const tabs = new BroadcastChannel('vcml');
  tabs.addEventListener('message', ({ data }) => {
    if (data === QUESTION && token !== '') tabs.postMessage({ token });
  });
  addEventListener('hashchange', () => {
    if (takeFromAddress()) location.reload();
  });
  if (takeFromAddress()) return;
  keep(sessionStorage.getItem(NAME) ?? (await tokenFrom(tabs)));
}

/** Says why there are no records, and resolves when the reader has given a token. */
export function askForToken(why: string): Promise<void> {
  const problem = byId('problem', HTMLElement);
  const input = element('input', { autocomplete: 'off', spellcheck: 'false', required: '' });
  const label = element('label', {}, 'Address or token ', input);
  const form = element('form', {}, label, ' ', element('button', {}, 'Show the records'));
  const { promise, resolve } = Promise.withResolvers<void>();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keep(/[#?&]token=([\w-]+)/.exec(input.value)?.[1] ?? input.value.trim());
    problem.textContent = '';
    resolve();
  });
  problem.replaceChildren(why, form);
  return promise;
}

/** Takes the token out of the address, so that it is neither copied nor shown; false: it has none. */
function takeFromAddress(): boolean {
  const given = new URLSearchParams(location.hash.slice(1));
  const found = given.get(NAME);
  if (found === null) return false;
  keep(found);
  given.delete(NAME);
  history.replaceState(null, '', given.size === 0 ? location.pathname : `#${given}`);
  return true;
}

function keep(found: string): void {
  // A header takes no other characters.
  token = /^[\w-]*$/.test(found) ? found : '';
  sessionStorage.setItem(NAME, token);
}

async function tokenFrom(tabs: BroadcastChannel): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  tabs.addEventListener('message', ({ data }) => {
    if (typeof data?.token === 'string') resolve(data.token);
  });
  setTimeout(() => resolve(''), WAIT_MS);
  tabs.postMessage(QUESTION);
  return promise;
}
