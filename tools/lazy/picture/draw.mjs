/**
 * Terminals as one animated SVG without a script, so that it also moves where it is an image in a page. Each row of a
 * screen is drawn once for all the time that it stands; whoever asks for less motion, and programs that animate nothing, see
 * the last picture.
 */
const [cellWidth, cellHeight, fontSize] = [8.4, 20, 14]
const [padding, gap, titleHeight] = [14, 12, 30]
/** Nothing moves for longer than this: waiting is not worth watching. */
const pauseMsMax = 1_100
/** The end stays, then it begins again. */
const endMs = 4_000

const colours = { paper: '#161b22', edge: '#6e7681', bar: '#2d333b', ink: '#e6edf3', dim: '#9aa4af', title: '#c9d1d9' }
/** The colours of a terminal that the chat uses, as legible on the paper. */
const palette = { 2: '#56d364', 6: '#6cb6ff' }

const round = number => Number(number.toFixed(2))
const escape = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** @param recording the panes, two beside each other and the third below, and the moment from which on they are drawn */
export function draw({ panes, from }) {
  const { clock, end } = shorten(panes.flatMap(pane => pane.frames.map(frame => frame.at)).filter(at => at >= from))
  const classes = new Classes(end)
  const [left, right, below] = panes
  const [topWidth, topHeight] = [widthOf(left), heightOf(left)]
  const places = [
    [left, 0, 0, topWidth],
    [right, topWidth + gap, 0, widthOf(right)],
    [below, 0, topHeight + gap, topWidth + gap + widthOf(right)],
  ]
  const drawn = places.map(([pane, x, y, width]) =>
    windowOf(pane, x, y, width, rowsOver(pane, from, clock, end), classes),
  )
  const [width, height] = [topWidth + gap + widthOf(right), topHeight + gap + heightOf(below)].map(round)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 ${width + 2} ${height + 2}" width="${width + 2}" height="${height + 2}" role="img" aria-labelledby="t">
<title id="t">Two people chat in two terminals. The server is stopped and started again meanwhile, and every message arrives.</title>
<style>
text{font:${fontSize}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:${colours.ink};white-space:pre}
.b{font-weight:bold}.d{fill:${colours.dim}}.t{fill:${colours.title};font-size:12px}
${Object.entries(palette)
  .map(([name, colour]) => `.c${name}{fill:${colour}}`)
  .join('')}
.g{visibility:hidden}
@media (prefers-reduced-motion:no-preference){
${classes.css()}
}
</style>
${drawn.join('\n')}
</svg>
`
}

const widthOf = pane => pane.columns * cellWidth + 2 * padding
const heightOf = pane => titleHeight + pane.rows * cellHeight + 2 * padding

/** The time of the picture: that of the recording without its long pauses. */
function shorten(moments) {
  const sorted = [...new Set(moments)].toSorted((one, other) => one - other)
  const clock = new Map()
  let now = 0
  for (const [at, moment] of sorted.entries()) {
    if (at > 0) now += Math.min(moment - sorted[at - 1], pauseMsMax)
    clock.set(moment, now)
  }
  return { clock, end: now + endMs }
}

/** What stands in each row, from when to when: `{ y, runs, from, to }`. */
function rowsOver(pane, from, clock, end) {
  const before = pane.frames.findLast(frame => frame.at < from)
  const frames = [
    ...(before === undefined ? [] : [{ ...before, time: 0 }]),
    ...pane.frames.filter(frame => frame.at >= from).map(frame => ({ ...frame, time: clock.get(frame.at) })),
  ]
  const done = []
  for (let y = 0; y < pane.rows; y++) {
    let stands
    for (const { rows, cursor, time } of frames) {
      const runs = cursor.y === y ? [...rows[y], { x: cursor.x, style: 'cursor', text: '' }] : rows[y]
      const key = JSON.stringify(runs)
      if (stands?.key === key) continue
      if (stands !== undefined) done.push({ ...stands, to: time })
      stands = { y, key, runs, from: time }
    }
    if (stands !== undefined) done.push({ ...stands, to: end })
  }
  return done.filter(({ runs, from: start, to }) => runs.length > 0 && to > start)
}

/** One CSS animation for all that is seen over the same time. */
class Classes {
  #names = new Map()
  #end

  constructor(end) {
    this.#end = end
  }

  /** @returns the attribute of what is seen from one time to another */
  of(from, to) {
    if (from === 0 && to === this.#end) return ''
    const key = `${round((from / this.#end) * 100)} ${round((to / this.#end) * 100)}`
    if (!this.#names.has(key)) this.#names.set(key, `k${this.#names.size}`)
    const name = this.#names.get(key)
    return ` class="${to === this.#end ? name : `g ${name}`}"`
  }

  css() {
    return [...this.#names]
      .map(([key, name]) => {
        const [from, to] = key.split(' ')
        const before = from === '0' ? '' : '0%{visibility:hidden}'
        const after = to === '100' ? '' : `${to}%{visibility:hidden}`
        return `@keyframes ${name}{${before}${from}%{visibility:visible}${after}}.${name}{animation:${name} ${round(this.#end / 1_000)}s step-end infinite}`
      })
      .join('\n')
  }
}

function windowOf(pane, x, y, width, rows, classes) {
  const [across, down] = [round(width), round(heightOf(pane))]
  const dots = [0, 1, 2].map(at => `<circle cx="${16 + at * 16}" cy="15" r="4.5" fill="${colours.edge}"/>`).join('')
  const lines = rows.map(({ y: row, runs, from, to }) => {
    const base = round(titleHeight + padding + row * cellHeight + 14.5)
    return `<g${classes.of(from, to)}>${runs.map(run => drawRun(run, base)).join('')}</g>`
  })
  return `<g transform="translate(${round(x)} ${round(y)})">
<rect width="${across}" height="${down}" rx="8" fill="${colours.paper}" stroke="${colours.edge}"/>
<path d="M.5 30V8a7.5 7.5 0 0 1 7.5-7.5H${across - 8}a7.5 7.5 0 0 1 7.5 7.5V30z" fill="${colours.bar}"/>${dots}
<text class="t" x="${round(width / 2)}" y="19" text-anchor="middle">${escape(pane.title)}</text>
${lines.join('\n')}
</g>`
}

/** Words of a run are set at their cells, so that a font of another width moves nothing. */
function drawRun({ x, style, text }, base) {
  const left = round(padding + x * cellWidth)
  if (style === 'cursor')
    return `<rect x="${left}" y="${base - 13}" width="${cellWidth}" height="17" fill="${colours.ink}" opacity=".55"/>`
  const names = [
    style.includes('b') && 'b',
    style.includes('d') && 'd',
    /\d/.test(style) && `c${style.replace(/\D/g, '')}`,
  ]
  const kind = names.filter(Boolean).join(' ')
  const trimmed = text.trimStart()
  const at = round(left + (text.length - trimmed.length) * cellWidth)
  const length = trimmed.length > 1 ? ` textLength="${round(trimmed.length * cellWidth)}"` : ''
  return `<text x="${at}" y="${base}"${length}${kind === '' ? '' : ` class="${kind}"`}>${escape(trimmed)}</text>`
}
