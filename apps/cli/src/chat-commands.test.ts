import { expect, test } from 'vitest'
import type { Chat } from './chat-command.ts'
import { nothingOpen, runCommand } from './chat-commands.ts'

/** Whatever a command reaches beyond these fails. */
async function type(line: string, open = false): Promise<string[]> {
  const said: string[] = []
  const screen = { write: (text: string) => said.push(text), note: (text: string) => said.push(text) }
  const view = { last: () => undefined }
  const chat = { screen, view, me: { id: 'me' }, room: open ? { id: 'room' } : undefined }
  await runCommand(chat as unknown as Chat, line)
  return said
}

test('a command that needs a conversation says so while none is open', async () => {
  for (const line of ['/edit better', '/edit', '/vote 1', '/mute', '/silence bob', '/spoiler', '/unpin'])
    expect(await type(line), line).toEqual([nothingOpen])
  expect(await type('/edit better', true)).toEqual(['there is nothing of yours to edit'])
})

test('the help answers what no command understands', async () => {
  const help = await type('/help')
  expect(help).toContainEqual(expect.stringContaining('  /thread new [text]            the same for the last message'))
  for (const line of ['/nothing', '/toString', '/', '/with', '/join']) expect(await type(line), line).toEqual(help)
  for (const line of ['/edit', '/schedule 10m', '/later 1 10m', '/location 1', '/ban'])
    expect(await type(line, true), line).toEqual(help)
})
