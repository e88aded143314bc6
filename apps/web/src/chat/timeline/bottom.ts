/**
 * The bottom of a list that scrolls: the list is held there while rows come and change their height, until somebody scrolls
 * away. Knows nothing of React, which need not draw for any of it.
 */
import type { VirtualizerHandle } from 'virtua'

/** Closer to the bottom than that counts as there. */
const nearPx = 24
/** Who has scrolled by hand is taken to be at it for so long. */
const intentMs = 400

export class Bottom {
  #isHeld: boolean
  #element: HTMLElement | undefined
  #handle: VirtualizerHandle | undefined
  /** When it was last looked at, by what is on the screen: all of it may be in view without anybody having scrolled. */
  #wasNear = false
  #isFollowing = false
  #lastTop = 0
  #lastHeight = 0
  #intendedAt = Number.NEGATIVE_INFINITY

  constructor(isHeld: boolean) {
    this.#isHeld = isHeld
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** @returns what ends it */
  attach(element: HTMLElement, handle: VirtualizerHandle): () => void {
    this.#element = element
    this.#handle = handle
    const pin = () => this.pin()
    const resized = new ResizeObserver(pin)
    resized.observe(element)
    // The height of the whole is a style of the list: a change of it is told in the same frame, after all measuring.
    const changed = new MutationObserver(pin)
    changed.observe(element, { attributes: true, attributeFilter: ['style'], childList: true, subtree: true })
    // By wheel, finger, key or bar.
    const intended = () => {
      this.#intendedAt = performance.now()
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

  /** From the next `pin` on it stays there, or no longer does. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
  }

  /** Goes there, if it is held. */
  pin(): void {
    if (this.#element !== undefined && this.#isHeld) this.#element.scrollTop = this.#element.scrollHeight
  }

  /**
   * Goes along with what was appended. virtua draws no further rows from a correction of its own until it hears of a scroll, and
   * where `pin` has undone the correction, there is none to hear of. So it is told of one, before what was appended is painted.
   */
  follow(): void {
    if (this.#wasNear) this.#isHeld = true
    if (this.#element === undefined || this.#handle === undefined || !this.#isHeld) return
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

  /** It has been brought to another place: all of it may be in view wherever it begins, and then it is at the bottom, too. */
  settle(): void {
    if (this.#element !== undefined) this.#isHeld = below(this.#element) < nearPx
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
    if (this.#isHeld && isByLayout) this.pin()
    else this.#isHeld = below(this.#element) < (scrollTop < this.#lastTop ? 1 : nearPx)
    this.#lastTop = this.#element.scrollTop
    return true
  }
}

/** How much of it is below what is in view, in pixels. */
export const below = ({ scrollHeight, clientHeight, scrollTop }: HTMLElement): number =>
  scrollHeight - clientHeight - scrollTop
