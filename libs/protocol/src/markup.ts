/**
 * The door for whoever shows or searches what people write: text in, a small tree out. The tree holds no HTML and nothing
 * that the text does not hold. docs/messages.md shows the mark-up.
 */
export { parseMarkup } from './markup/parse.ts'
export { escapeMarkup, hiddenText, plainText, previewText } from './markup/plain.ts'
export type { Block, Inline, ListItem } from './markup/tree.ts'
