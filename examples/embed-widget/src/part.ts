/** What the panel holds while a stage lasts. */
export interface Part {
  readonly element: HTMLElement
  /** Something that it shows, or whether somebody looks, may have changed. */
  update(isOpen: boolean): void
  /** Where one begins to write. */
  focus(): void
  unread?(): number
  title?(): string | undefined
  end?(): void
}
