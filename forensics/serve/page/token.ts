import { byId, element } from '../../report/page/dom.ts';

/** Its name in the address and in the tab's storage, which no other port of this machine can read. */
const NAME = 'token';
/** Other tabs with this server answer at once, unless they are busy. */
const WAIT_MS = 200;
const QUESTION = 'token?';

let token = '';
/** What another tab has sent last. */
let sent = '';
/** Called when another tab has sent a token. */
let onSent = () => {};

/** Returns the header that says that this page may ask. */
export function authorization(): string {
  return `Bearer ${token}`;
}

/** Finds the token in the address, in this tab, or in another tab with this server. */
export async function findToken(): Promise<void> {
  const tabs = new BroadcastChannel('vcml');
  tabs.addEventListener('message', ({ data }) => {
    if (data === QUESTION) {
      if (token !== '') tabs.postMessage({ token });
    } else if (typeof data?.token === 'string') {
      sent = data.token;
      onSent();
    }
  });
  addEventListener('hashchange', () => {
    if (takeFromAddress()) location.reload();
  });
  if (takeFromAddress()) return;
  const kept = sessionStorage.getItem(NAME) ?? '';
  keep(kept === '' ? await tokenFrom(tabs) : kept);
}

/** Says why there are no records, and resolves when the reader or another tab has given another token. */
export function askForToken(why: string): Promise<void> {
  const problem = byId('problem', HTMLElement);
  const input = element('input', { autocomplete: 'off', spellcheck: 'false', required: '' });
  const label = element('label', {}, 'Address or token ', input);
  const form = element('form', {}, label, ' ', element('button', {}, 'Show the records'));
  const { promise, resolve } = Promise.withResolvers<void>();
  const take = (given: string) => {
    onSent = () => {};
    keep(given);
    problem.textContent = '';
    resolve();
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    take(/[#?&]token=([\w-]+)/.exec(input.value)?.[1] ?? input.value.trim());
  });
  problem.replaceChildren(why, form);
  const takeSent = () => {
    if (sent !== '' && sent !== token) take(sent);
  };
  onSent = takeSent;
  takeSent();
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
  const { promise, resolve } = Promise.withResolvers<void>();
  onSent = resolve;
  setTimeout(resolve, WAIT_MS);
  tabs.postMessage(QUESTION);
  await promise;
  return sent;
}
