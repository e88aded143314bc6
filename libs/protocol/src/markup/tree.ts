/** What a text says, as a tree. Who meets a type that is not here shows its children, or its text. */

/** Within a line or several. */
export type Inline =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'code'; readonly text: string }
  /** `@name`. Whom it means, and whether anybody is called so, the message says in `mentions`. */
  | { readonly type: 'mention'; readonly name: string }
  /** `url` is one of http, https, mailto, tel, and may differ from what its children show: show both. */
  | { readonly type: 'link'; readonly url: string; readonly children: readonly Inline[] }
  /** Of a spoiler the children are hidden until the reader asks for them. */
  | { readonly type: 'bold' | 'italic' | 'strike' | 'spoiler'; readonly children: readonly Inline[] }

/** `number` where it is numbered; `level` from 0, by its indentation. */
export interface ListItem {
  readonly level: number
  readonly number?: number
  readonly children: readonly Inline[]
}

/** Whole lines. */
export type Block =
  /** Lines as they were written, blank ones among them. */
  | { readonly type: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly type: 'code_block'; readonly language?: string; readonly text: string }
  | { readonly type: 'quote'; readonly children: readonly Block[] }
  | { readonly type: 'list'; readonly items: readonly ListItem[] }

/** A text is marked up so far; the rest of it is shown as it was written. */
export const nodesMax = 4_000
/** Quotes within quotes. */
export const quoteDepthMax = 3
/** Levels of a list. */
export const listLevelMax = 3
/** Code units of a text. What is longer is shown as it was written. */
export const sourceLengthMax = 65_536

/** What a parse has cost so far: each look at a character is a step. */
export interface Meter {
  steps: number
  nodes: number
}
