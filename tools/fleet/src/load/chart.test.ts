import { expect, test } from 'vitest'
import { renderChart } from './chart.ts'

test('lines and axes lie where their numbers say', () => {
  const svg = renderChart('A & B', [
    {
      title: 'Up',
      lines: [
        {
          label: 'a',
          color: '#111',
          points: [
            [0, 0],
            [100, 1_000],
          ],
        },
      ],
    },
    {
      title: 'Steps',
      lines: [
        {
          label: 'b',
          color: '#222',
          stepped: true,
          dashed: true,
          points: [
            [0, 2],
            [50, 4],
          ],
        },
      ],
    },
  ])
  expect(svg).toContain('<title>A &amp; B</title>')
  // From the lower left corner of the first panel to its upper right one.
  expect(svg).toContain('d="M64 178L844 34"')
  expect(svg).toContain('>1,000</text>')
  expect(svg).toContain('d="M64 296H454V224"')
  expect(svg).toContain('stroke-dasharray')
})
