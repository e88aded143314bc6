/** The settings of every process that takes messages: for how long they can be changed, and what is kept of them. */
import { flag, integer, type Values } from './config.ts'

/** A hundred years: more than anybody asks for, and still a whole number of PostgreSQL. */
const windowMsMax = 3_155_760_000_000
const windowOf = (what: string) =>
  integer(
    -1,
    { min: -1, max: windowMsMax },
    `For how long senders can ${what}, in milliseconds from its posting; 0 is never, -1 without end. Use the same value in all processes.`,
  )

export const messageSettings = {
  EDIT_WINDOW_MS: windowOf('edit a message'),
  DELETE_WINDOW_MS: windowOf('delete a message for everybody (owners and admins of a group always can)'),
  EDIT_HISTORY: flag(
    false,
    'Whether members can read what messages said before they were edited. It is kept from then on, sealed; without it what an edit replaces is erased. Use the same value in all processes.',
  ),
}

const toWindow = (ms: number) => (ms < 0 ? Number.POSITIVE_INFINITY : ms)

/** As the domain names them. */
export const toMessageSettings = (values: Values<typeof messageSettings>) => ({
  editWindowMs: toWindow(values.EDIT_WINDOW_MS),
  deleteWindowMs: toWindow(values.DELETE_WINDOW_MS),
  editHistory: values.EDIT_HISTORY,
})
