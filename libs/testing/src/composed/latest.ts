/** The last of something that was acknowledged: in each conversation, and of each person there. */
export class Latest {
  readonly #ofAll = new Map<string, number>()
  readonly #own = new Map<string, number>()

  /** @returns its seq: of anybody, or of one person */
  of(conversation: string, user?: string): number | undefined {
    return user === undefined ? this.#ofAll.get(conversation) : this.#own.get(`${conversation} ${user}`)
  }

  set(conversation: string, user: string, seq: number): void {
    this.#ofAll.set(conversation, seq)
    this.#own.set(`${conversation} ${user}`, seq)
  }
}
