/** Which key press sends. Asked before anything else looks at the key: what an input method takes is no key of ours. */
export interface Press {
  readonly key: string
  readonly keyCode: number
  readonly isComposing: boolean
  readonly shiftKey: boolean
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
}

/** Safari ends a composition before it tells the key that ended it: only the code 229 gives that away. */
export const isComposing = (press: Pick<Press, 'isComposing' | 'keyCode'>): boolean =>
  press.isComposing || press.keyCode === 229

/** Enter alone, or with Ctrl or Cmd. With Shift it is a new line. */
export function sends(press: Press): boolean {
  return press.key === 'Enter' && !isComposing(press) && !press.shiftKey && !press.altKey
}
