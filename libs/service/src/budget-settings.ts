/** The settings of every process that takes messages: what one person may write, and how many people that may reach. */
import { integer, type Values } from './config.ts'

const many = { min: 1, max: 1_000_000_000 }

export const budgetSettings = {
  MESSAGES_PER_SECOND: integer(
    20,
    many,
    'Messages of one person in one conversation a second, lasting, over all nodes. Equal for all processes, as are the next four.',
  ),
  MESSAGES_BURST: integer(200, many, 'Messages of one person in one conversation that may come at once after a pause.'),
  FANOUT_PER_SECOND: integer(
    10_000,
    many,
    'People who are told the messages of one person a second, lasting, over all nodes: ten messages to a group of 1,000. A longer message counts once for every 2,048 bytes. Receipts and typing have as much again.',
  ),
  FANOUT_BURST: integer(
    50_000,
    many,
    'People who are told messages of one person at once after a pause. A larger group may still be written to: then there is a longer pause.',
  ),
  STORED_BYTES_PER_DAY_MAX: integer(
    100_000_000,
    { min: 1_000_000, max: 1_000_000_000_000 },
    'What the messages of one person may take in the store in a day, 200 bytes a message besides its body.',
  ),
}

/** As the domain names them. */
export const toBudgets = (values: Values<typeof budgetSettings>) => ({
  messagesPerSecond: values.MESSAGES_PER_SECOND,
  messagesBurst: values.MESSAGES_BURST,
  fanoutPerSecond: values.FANOUT_PER_SECOND,
  fanoutBurst: values.FANOUT_BURST,
  storedBytesPerDayMax: values.STORED_BYTES_PER_DAY_MAX,
})
