/**
 * Where a list that scrolls is held while rows come and change their height: at the bottom, until somebody scrolls away; or at a
 * row that it was brought to, until its neighbours are measured. What comes above the list or goes from there moves the list, and
 * none of its rows. Knows nothing of React, which need not draw for any of it.
 */
import type { VirtualizerHandle } from 'virtua'

/** Closer to the bottom than that counts as there. */
const nearPx = 24
/** Who has scrolled by hand is taken to be at it for so long. */
const intentMs = 400
/** A row is held until nothing has changed for so long, */
const settleMs = 200
/** and for so many frames: what is measured late on a page that stood still must find it held. */
const settleFrames = 12

/** How far down the list is to be scrolled for a row, by what is known now; undefined where the row is gone. */
export type TopOf = (handle: VirtualizerHandle) => number | undefined

interface RowHold {
  readonly topOf: TopOf
  changedAt: number
  /** How many have been painted since. */
  frames: number
  /** How far the list itself has been moved since. */
  movedPx: number
}

export class Hold {
  #at: 'bottom' | RowHold | undefined
  #element: HTMLElement | undefined
  #handle: VirtualizerHandle | undefined
  /** When it was last looked at, by what is on the screen: all of it may be in view without anybody having scrolled. */
  #wasNear = false
  #isFollowing = false
  #lastTop = 0
  #lastHeight = 0
  /** Where its upper edge was in the window. */
  #edge = 0
  #intendedAt = Number.NEGATIVE_INFINITY

  constructor(isAtBottom: boolean) {
    this.#at = isAtBottom ? 'bottom' : undefined
  }

  /** A row may be where all that follows is in view. */
  get isAtBottom(): boolean {
    return this.#at === 'bottom' || (this.#at !== undefined && this.#wasNear)
  }

  /** @returns what ends it */
  attach(element: HTMLElement, handle: VirtualizerHandle): () => void {
    this.#element = element
    this.#handle = handle
    const pin = () => this.pin()
    this.#edge = element.getBoundingClientRect().top
    // Told before it is painted.
    const resized = new ResizeObserver(() => {
      this.#compensate(element)
      pin()
    })
    resized.observe(element)
    // The height of the whole is a style of the list: a change of it is told in the same frame, after all measuring.
    const changed = new MutationObserver(pin)
    changed.observe(element, { attributes: true, attributeFilter: ['style'], childList: true, subtree: true })
    // By wheel, finger, key or bar.
    const intended = () => {
      this.#intendedAt = performance.now()
      if (this.#at !== 'bottom') this.#at = undefined
    }
    const kinds = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const
    for (const kind of kinds) element.addEventListener(kind, intended, { passive: true })
    return () => {
      this.#element = undefined
      this.#handle = undefined
      resized.disconnect()
      changed.disconnect()
      for (const kind of kinds) element.removeEventListener(kind, intended)
    }
  }

  /** From the next `pin` on it stays there. */
  toBottom(): void {
    this.#at = 'bottom'
  }

  /** Brings a row to its place: at once, and again when what is around it is measured. Who scrolls meanwhile, is left alone. */
  toRow(topOf: TopOf): void {
    const row = { topOf, changedAt: performance.now(), frames: 0, movedPx: 0 }
    this.#at = row
    this.pin()
    requestAnimationFrame(() => this.#settle(row))
  }

  /** Goes where it is held. */
  pin(): void {
    const element = this.#element
    if (element === undefined) return
    if (this.#at === 'bottom') element.scrollTop = element.scrollHeight
    else if (this.#at !== undefined) this.#pinRow(element, this.#at)
  }

  /** A bar that comes above the list takes its room from the list, and pushes no row away from under the eyes. */
  #compensate(element: HTMLElement): void {
    const edge = element.getBoundingClientRect().top
    const movedPx = edge - this.#edge
    this.#edge = edge
    if (movedPx === 0 || this.#at === 'bottom') return
    if (this.#at === undefined) element.scrollTop += movedPx
    else this.#at.movedPx += movedPx
  }

  #pinRow(element: HTMLElement, row: RowHold): void {
    const place = row.topOf(this.#handle!)
    if (place === undefined) {
      this.#at = undefined
      return
    }
    const top = place + row.movedPx
    row.changedAt = performance.now()
    row.frames = 0
    if (Math.abs(element.scrollTop - top) >= 1) element.scrollTop = top
    this.look()
  }

  /** At each frame: once its neighbours are measured, a row is held no more. */
  #settle(row: RowHold): void {
    if (this.#at !== row) return
    row.frames += 1
    if (row.frames < settleFrames || performance.now() - row.changedAt < settleMs)
      requestAnimationFrame(() => this.#settle(row))
    else this.#at = this.#wasNear ? 'bottom' : undefined
  }

  /**
   * Goes along with what was appended. virtua draws no further rows from a correction of its own until it hears of a scroll, and
   * where `pin` has undone the correction, there is none to hear of. So it is told of one, before what was appended is painted.
   */
  follow(): void {
    if (this.#wasNear) this.#at = 'bottom'
    if (this.#element === undefined || this.#handle === undefined || this.#at !== 'bottom') return
    const bottom = this.#element.scrollHeight - this.#element.clientHeight
    // From further away it hears of the scroll itself, and must not be told while React draws.
    if (Math.abs(bottom - this.#handle.scrollOffset) < this.#handle.viewportSize) {
      this.#isFollowing = true
      this.#element.scrollTop = bottom - 1
      this.#element.dispatchEvent(new Event('scroll'))
      this.#isFollowing = false
    }
    this.pin()
  }

  /** What is on the screen is looked at. */
  look(): void {
    if (this.#element !== undefined) this.#wasNear = below(this.#element) < nearPx
  }

  /** @returns whether it has moved, and not only followed */
  scrolled(): boolean {
    if (this.#element === undefined || this.#isFollowing) return false
    const { scrollTop, scrollHeight } = this.#element
    const isIntended = performance.now() - this.#intendedAt < intentMs
    const isByLayout = scrollHeight !== this.#lastHeight && !isIntended
    this.#lastHeight = scrollHeight
    // Who scrolls up by a little wants to leave the bottom; who scrolls down need not meet it to the pixel. What rows do by
    // changing their height takes nobody away from it.
    if (this.#at === 'bottom' ? isByLayout : this.#at !== undefined) this.pin()
    else this.#at = below(this.#element) < (scrollTop < this.#lastTop ? 1 : nearPx) ? 'bottom' : undefined
    this.#lastTop = this.#element.scrollTop
    return true
  }
}

/** How much of it is below what is in view, in pixels. */
export const below = ({ scrollHeight, clientHeight, scrollTop }: HTMLElement): number =>
  scrollHeight - clientHeight - scrollTop
