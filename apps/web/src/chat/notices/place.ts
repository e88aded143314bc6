/** Which message a notification is about, and reading that. */
import type { Client, ClientEvents, Notification } from '@flotilla/sdk'

export interface NoticePlace {
  readonly conversation: string
  readonly seq?: number
}

/** A reminder and a thread name the message beside: what becomes of that becomes of neither. */
export function placeOf({ conversation, seq, detail }: Notification): NoticePlace | undefined {
  const at = conversation ?? detail['conversation']
  if (at === undefined) return undefined
  const nth = seq ?? Number(detail['seq'])
  return { conversation: at, ...(nth > 0 ? { seq: nth } : {}) }
}

type Message = Omit<ClientEvents['message'], 'replayed'>

/** As a query: the message as it stands, or null where it cannot be seen. */
export const messageOf = ({ rest }: Client, { conversation = '', seq = 0 }: Partial<NoticePlace> = {}) => ({
  queryKey: ['noticed', conversation, seq],
  async queryFn(): Promise<Message | null> {
    const [entry] = (await rest.history(conversation, { after: seq - 1, limit: 1 })).entries
    return entry?.event === 'message.new' && entry.seq === seq ? entry : null
  },
})
