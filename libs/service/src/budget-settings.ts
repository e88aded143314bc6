/** The settings of every process that takes messages: what one person may write, and how many people that may reach. */
import { integer, type Values } from './config.ts'

const many = { min: 1, max: 1_000_000_000 }

export const budgetSettings = {
  MESSAGES_PER_SECOND: integer(
    20,
    many,
    'Messages per second of one person in one conversation, sustained, over all nodes. Use the same value in all processes; the same goes for the next four.',
  ),
  MESSAGES_BURST: integer(200, many, 'Burst of messages of one person in one conversation allowed after a pause.'),
  FANOUT_PER_SECOND: integer(
    10_000,
    many,
    'Recipients per second of one person’s messages, sustained, over all nodes: the default is ten messages to a group of 1,000. A longer message counts once for every 2,048 bytes. Receipts and typing have as much again.',
  ),
  FANOUT_BURST: integer(
    50_000,
    many,
    'Burst of recipients of one person’s messages allowed after a pause. A larger group can still be written to, followed by a longer pause.',
  ),
  STORED_BYTES_PER_DAY_MAX: integer(
    100_000_000,
    { min: 1_000_000, max: 1_000_000_000_000 },
    'Bytes that one person’s messages may take up in the store per day, counting 200 bytes a message besides its body.',
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
