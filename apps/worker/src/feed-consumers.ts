/** Those that read all conversations by the feed: the worker runs them, and its metrics name them. */
import { type feed, operators } from '@flotilla/chat'

export const feedConsumers: readonly feed.Consumer[] = [operators.entryCounter]
