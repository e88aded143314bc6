/** What is measured within a page of the web client, as scripts that run there: no call from outside lies between. */

/** After the frame: what is measured within it is put right before it is painted. */
const afterFrame = `const afterFrame = then => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = then
  port2.postMessage(undefined)
})`
const timeline = `document.querySelector('[data-conversation-pane] [data-timeline]')`

export interface SentAndSeen {
  /** Its row is wholly on the screen. */
  readonly isSeen: boolean
  /** What was written is gone from where one writes. */
  readonly isEmpty: boolean
}

/** Sends a text by a key press, and looks at the screen once the frame of the key press is painted. */
export const sendAndLook = (text: string) => `new Promise(done => {
  ${afterFrame}
  const area = document.querySelector('[data-conversation-pane] [data-composer] textarea')
  area.value = ${JSON.stringify(text)}
  area.dispatchEvent(new Event('input', { bubbles: true }))
  requestAnimationFrame(() => {
    area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 13, bubbles: true, cancelable: true }))
    afterFrame(() => {
      const scroller = ${timeline}.getBoundingClientRect()
      const row = [...document.querySelectorAll('[data-conversation-pane] article')].findLast(one => one.textContent.includes(${JSON.stringify(text)}))
      const place = row?.getBoundingClientRect()
      if (row !== undefined) row.wasThere = true
      done({
        isSeen: place !== undefined && place.top >= scroller.top && place.bottom <= scroller.bottom + 1 && getComputedStyle(row).visibility === 'visible',
        isEmpty: area.value === '',
      })
    })
  })
})`

export interface Climbed {
  /** By so many pixels a row on the screen has moved, at most, in a frame in which nobody scrolled; and which one. */
  readonly worst: number
  readonly where: string
  /** Older rows were put before so often. */
  readonly prepended: number
  /** Frames without a row, after another one: on a machine that is busy, rows may be drawn a frame late. */
  readonly blank: number
}

/**
 * Goes up by steps, with frames between in which nobody scrolls, until nothing older comes or so many frames are over. No step
 * goes beyond what is drawn: on a machine that is busy, rows would be measured on the screen, and move those below.
 */
export const climb = (framesMax = 3_000) => `new Promise(done => {
  ${afterFrame}
  const scroller = ${timeline}
  // What is not measured yet is drawn where it is guessed to be, and not shown.
  const isDrawn = element => getComputedStyle(element).visibility === 'visible'
  const stepPx = 240
  const isDrawnAbove = () => {
    const drawnTo = Math.min(...[...scroller.lastElementChild.children].filter(isDrawn).map(item => item.getBoundingClientRect().top))
    return drawnTo <= scroller.getBoundingClientRect().top - Math.min(stepPx, scroller.scrollTop) + 1
  }
  const places = () => {
    const { top, bottom } = scroller.getBoundingClientRect()
    const rows = [...scroller.querySelectorAll('[data-key]')].filter(isDrawn).map(row => [row.dataset.key, row.getBoundingClientRect()])
    return new Map(rows.filter(([, place]) => place.bottom > top && place.top < bottom).map(([key, place]) => [key, place.top]))
  }
  const result = { worst: 0, where: '', prepended: 0, blank: 0 }
  let height = scroller.scrollHeight
  let before
  let isEmpty = false
  let top = 0
  const look = frame => {
    const now = places()
    if (now.size === 0 && isEmpty) result.blank++
    isEmpty = now.size === 0
    if (scroller.scrollHeight > height + 500) result.prepended++
    height = scroller.scrollHeight
    if (before !== undefined)
      for (const [key, place] of now) {
        const moved = Math.abs(place - (before.get(key) ?? place))
        if (moved > result.worst) Object.assign(result, { worst: moved, where: frame + ' ' + key })
      }
    before = now
    top = scroller.scrollTop === 0 ? top + 1 : 0
    if (top > 60 || frame > ${framesMax}) return done(result)
    if (frame % 4 === 0 && isDrawnAbove()) {
      scroller.dispatchEvent(new WheelEvent('wheel', { deltaY: -stepPx }))
      scroller.scrollTop -= stepPx
      before = undefined
    }
    afterFrame(() => look(frame + 1))
  }
  afterFrame(() => look(0))
})`

/** Opens a conversation from the list. @returns in how many milliseconds its messages were painted */
export const switchTo = (conversation: string) => `new Promise(done => {
  ${afterFrame}
  const began = performance.now()
  document.querySelector('[data-conversation="${conversation}"]').click()
  const look = () => {
    const isThere = document.querySelector('[data-conversation-pane="${conversation}"] article') !== null
    if (isThere) done(performance.now() - began)
    else afterFrame(look)
  }
  afterFrame(look)
})`

/** For a page before it loads: notes on \`window.firstMessagesMs\` when the first messages were painted, counted from the navigation. */
export const noteFirstMessages = `(() => {
  ${afterFrame}
  const look = () => {
    if (document.querySelector('[data-conversation-pane] article') !== null) window.firstMessagesMs = performance.now()
    else afterFrame(look)
  }
  afterFrame(look)
})()`

/** Begins to note on \`window.keyMs\` how long each key press took to the paint after it, as the browser says it, in steps of 8 ms. */
export const noteKeys = `(() => {
  window.keyMs = []
  new PerformanceObserver(list => {
    for (const { name, duration } of list.getEntries()) if (name === 'keydown') window.keyMs.push(duration)
  }).observe({ type: 'event', durationThreshold: 16 })
})()`
