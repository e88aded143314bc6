/** Makes an element. Text goes in as text: nothing here, and nothing that uses it, reads HTML. */
type Properties = Readonly<Record<string, string | boolean | undefined>>

/** @param properties attributes; `true` for one without a value, false and undefined for none */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...inside: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(properties))
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value)
  made.append(...inside)
  return made
}

const svg = 'http://www.w3.org/2000/svg'

/** A picture of one path, 24 by 24, that says nothing. */
export function icon(path: string): SVGElement {
  const picture = document.createElementNS(svg, 'svg')
  picture.setAttribute('viewBox', '0 0 24 24')
  picture.setAttribute('aria-hidden', 'true')
  const drawn = document.createElementNS(svg, 'path')
  drawn.setAttribute('d', path)
  picture.append(drawn)
  return picture
}
