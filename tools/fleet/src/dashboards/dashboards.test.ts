import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { inProject } from '../root.ts'
import { type Dashboard, gridColumns, render } from './grafana.ts'
import { dashboards } from './index.ts'

const folder = inProject('helm/flotilla/dashboards')
const files = new Map(
  readdirSync(folder).map(name => [name, JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as Dashboard]),
)

interface Placed {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
}
const panelsOf = (dashboard: Dashboard) => (dashboard.panels as Placed[]).filter(({ type }) => type !== 'row')

test('the files are what their sources say: npm run dashboards', () => {
  const made = new Map(dashboards.map(idea => [`${idea.uid.replace('flotilla-', '')}.json`, render(idea)]))
  expect([...files.keys()].toSorted()).toEqual([...made.keys()].toSorted())
  for (const [name, dashboard] of made) expect(files.get(name), name).toEqual(JSON.parse(JSON.stringify(dashboard)))
})

test.each(dashboards.map(idea => [idea.title, idea] as const))('%s is calm', (_title, idea) => {
  const panels = panelsOf(render(idea))
  expect(panels.length).toBeGreaterThanOrEqual(8)
  expect(panels.length).toBeLessThanOrEqual(20)
  // What a panel is for is a question, and an operator finds it behind the title.
  for (const { title, description } of panels) expect(description, title).toMatch(/^[A-Z][^?]+\?/)
  // Short enough for the narrowest screen that Grafana lays out beside each other.
  for (const { title, gridPos } of panels) expect(title.length, title).toBeLessThanOrEqual(gridPos.w * 7)
})

test.each(dashboards.map(idea => [idea.title, idea] as const))('%s fills the grid without overlaps', (_title, idea) => {
  const cells = new Set<string>()
  for (const { gridPos, title } of render(idea).panels as Placed[]) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(gridColumns)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(cells.has(`${x} ${y}`), `${title} lies on another`).toBe(false)
        cells.add(`${x} ${y}`)
      }
  }
  const rows = Math.max(...(render(idea).panels as Placed[]).map(({ gridPos }) => gridPos.y + gridPos.h))
  expect(cells.size).toBe(rows * gridColumns)
})

test('links lead to dashboards that are there', () => {
  const uids = new Set(dashboards.map(({ uid }) => uid))
  expect(uids.size).toBe(dashboards.length)
  const linked = JSON.stringify([...files.values()]).matchAll(/"\/d\/([a-z-]+)/g)
  for (const [, uid] of linked) expect(uids).toContain(uid)
})
