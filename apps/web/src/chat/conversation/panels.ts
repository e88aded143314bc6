/** What may stand beside a conversation, one at a time. */
export type Panel =
  | { readonly kind: 'info' }
  | { readonly kind: 'person'; readonly user: string }
  | { readonly kind: 'pins' }
  | { readonly kind: 'thread'; readonly root: number }
