/** What stands over the page, one at a time: a chunk that comes when the first of them is wanted. */
import { KeysSheet } from './keys-sheet.tsx'
import { Finder } from './list/finder.tsx'
import { NewConversation } from './list/new-conversation.tsx'
import { RemindersDialog } from './list/reminders-dialog.tsx'
import { RequestsDialog } from './list/requests-dialog.tsx'
import { ScheduledDialog } from './list/scheduled-dialog.tsx'
import { StarredDialog } from './list/starred-dialog.tsx'
import { ThreadsDialog } from './list/threads-dialog.tsx'
import { NoticesDialog } from './notices/notices-dialog.tsx'
import type { Sheet } from './sheet.ts'

interface SheetsProps {
  readonly sheet: Sheet
  /** Shows a message where it stands, or the thread that alone shows it. */
  onShow(conversation: string, seq?: number, root?: number): void
  onScheduled(): void
  onClose(): void
}

export function Sheets({ sheet, onShow, onScheduled, onClose }: SheetsProps) {
  switch (sheet) {
    case 'new':
      return <NewConversation onClose={onClose} />
    case 'requests':
      return <RequestsDialog onClose={onClose} />
    case 'find':
      return <Finder onClose={onClose} />
    case 'notices':
      return <NoticesDialog onShow={onShow} onScheduled={onScheduled} onClose={onClose} />
    case 'starred':
      return <StarredDialog onShow={onShow} onClose={onClose} />
    case 'scheduled':
      return <ScheduledDialog onClose={onClose} />
    case 'threads':
      return <ThreadsDialog onShow={(to, root) => onShow(to, undefined, root)} onClose={onClose} />
    case 'reminders':
      return <RemindersDialog onShow={onShow} onClose={onClose} />
    default:
      return <KeysSheet onClose={onClose} />
  }
}
