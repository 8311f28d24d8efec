/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** An element; strings become text, never markup. Attribute names are the page's own. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes))
    created.setAttribute(attribute, value);
  created.append(...children);
  return created;
}

/** The element of the page's own markup that has this id. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

/** A button that says what it does when pressed. */
export function button(text: string, press: () => void): HTMLButtonElement {
  const created = element('button', { type: 'button' }, text);
  created.addEventListener('click', press);
  return created;
}
