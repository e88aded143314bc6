/** The page that draws a dashboard, all in one file; and its picture, by a headless Chromium. */
import { readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import type { DrawnDashboard } from './figures.ts'

const require = createRequire(import.meta.url)
const beside = (name: string) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8')
/** A module of ours as a script: without types, imports and exports. */
const script = (name: string) =>
  stripTypeScriptTypes(beside(name))
    .replaceAll(/^import .*$/gm, '')
    .replaceAll(/^export /gm, '')
const uPlotFile = (name: string) => readFileSync(require.resolve(`uplot/dist/${name}`), 'utf8')

const style = `
* { box-sizing: border-box; margin: 0 }
body { background: #111217; color: #ccccdc; font: 12px Inter, Roboto, 'DejaVu Sans', sans-serif; padding: 12px 16px }
h1 { font-size: 16px; font-weight: 500; margin-bottom: 10px }
#board { position: relative }
.panel, .row { position: absolute }
.panel { background: #181b1f; border: 1px solid #25282e; border-radius: 3px; display: flex; flex-direction: column }
.row .title { font-size: 14px; font-weight: 500; line-height: 30px; padding: 0 }
.title { padding: 6px 8px 2px; font-weight: 500; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.body { flex: 1; min-height: 0; padding: 0 6px 6px; position: relative; display: flex; flex-direction: column; overflow: hidden }
.figure { font-size: 30px; font-weight: 500; text-align: center; flex: 1; display: grid; place-items: center }
.spark { margin: 0 -6px -6px }
.chart { position: relative }
.legend { display: flex; flex-wrap: wrap; gap: 2px 12px; padding: 2px 6px 0; font-size: 11px }
.entry::before { content: ''; display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 5px; vertical-align: middle; background: var(--colour) }
.none { position: absolute; inset: 0; display: grid; place-items: center; color: #8e8e9b }
.states { flex: 1; min-height: 0; display: flex; align-items: stretch }
.states .name { width: 110px; align-self: center; font-size: 11px; white-space: nowrap; overflow: hidden }
.bar { flex: 1; display: flex; height: 50%; opacity: 0.6; align-self: center }
.heat .bar { height: 92%; opacity: 1 }
.part { flex: 1 }
table { width: 100%; border-collapse: collapse }
td { padding: 4px 8px; border-bottom: 1px solid #25282e }
tr:first-child td { color: #6e9fff }
`

/** The page as one text. */
const pageOf = (dashboard: DrawnDashboard) => `<!doctype html><meta charset="utf-8">
<style>${uPlotFile('uPlot.min.css')}${style}</style>
<h1></h1><div id="board"></div>
<script>${uPlotFile('uPlot.iife.min.js')}</script>
<script>const dashboard = ${JSON.stringify(dashboard).replaceAll('<', String.raw`\u003c`)};
${script('units.ts')}
${script('draw.ts')}</script>`

const widthPixels = 1_480

/** Draws it and writes a PNG. */
export async function photograph(dashboard: DrawnDashboard, executablePath: string, file: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  })
  try {
    const page = await browser.newPage({ viewport: { width: widthPixels, height: 900 } })
    const errors: string[] = []
    page.on('pageerror', error => errors.push(String(error)))
    await page.setContent(pageOf(dashboard))
    if (errors.length > 0) throw new Error(`unable to draw ${dashboard.title}: ${errors.join('; ')}`)
    await page.screenshot({ path: file, fullPage: true })
  } finally {
    await browser.close()
  }
}
