import type { Conversation } from '@flotilla/protocol'
import { notOurs } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { type ListFilter, type PagePosition, readPage } from './read.ts'

export interface ConversationPage {
  readonly conversations: readonly Conversation[]
  /** For `after` of the next page; missing on the last one. */
  readonly next?: string
}

const pageMax = 100

/**
 * The caller's conversations, the most recent first. One that moves while the pages are read moves to the front, so
 * it is not on a later page; its entries come live.
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function list(
  ctx: LogContext,
  by: string,
  input: { limit: number; after?: string | undefined } & ListFilter,
): Promise<ConversationPage> {
  const limit = Math.min(input.limit, pageMax)
  const after = input.after === undefined ? undefined : decode(input.after)
  const { conversations, next } = await readPage(ctx, by, after, limit, input)
  return { conversations, ...(next === undefined ? {} : { next: encode(next) }) }
}

const encode = (place: PagePosition) => Buffer.from(`${place.headAt}/${place.id}`).toString('base64url')

/** Seconds since 1970 with six decimals, then the id. */
const pattern = /^(\d{1,12}\.\d{6})\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

function decode(cursor: string): PagePosition {
  const [, headAt, id] = pattern.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (headAt === undefined || id === undefined) throw notOurs()
  return { headAt, id }
}
