/** Owns making and finding elements. Text goes in as text, never as markup. */

export type Child = Node | string | undefined

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children.filter((child) => child !== undefined))
  return element
}

/** The element with this id. @throws when the page has none. */
export function find(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`The page has no #${id}`)
  return element
}

export function onClick(id: string, run: () => unknown): void {
  find(id).addEventListener('click', () => void run())
}

/** One row of a list of facts: its name, its value, what it means. */
export function fact(name: string, value: Child, meaning?: string): HTMLElement {
  return make(
    'div',
    {},
    make('dt', {}, make('code', { class: 'name' }, name)),
    make('dd', { class: 'value' }, value),
    make('dd', { class: 'meaning' }, meaning ?? ''),
  )
}

/** A value as code, its whole length readable by scrolling. */
export function code(text: string): HTMLElement {
  return make('code', {}, text)
}
