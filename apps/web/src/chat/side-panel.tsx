/** What stands beside a conversation, one at a time: a chunk that comes when the first of them is wanted. */
import type { ConversationView } from '@flotilla/sdk/state'
import type { Panel } from './conversation/panels.ts'
import { PinsPanel } from './conversation/pins-panel.tsx'
import { GroupPanel } from './group/group-panel.tsx'
import { PersonPanel } from './group/person-panel.tsx'
import { ThreadPanel } from './thread/thread-panel.tsx'

interface SideProps {
  readonly view: ConversationView
  readonly panel: Panel
  openPanel(panel: Panel): void
  /** Shows a message where it stands. */
  onShow(seq: number): void
  onClose(): void
}

export function SidePanel({ view, panel, openPanel, onShow, onClose }: SideProps) {
  switch (panel.kind) {
    case 'thread':
      return <ThreadPanel key={panel.root} view={view} root={panel.root} openPanel={openPanel} onClose={onClose} />
    case 'person':
      return <PersonPanel key={panel.user} view={view} user={panel.user} onClose={onClose} />
    case 'pins':
      return <PinsPanel view={view} onShow={onShow} onClose={onClose} />
    default:
      return <GroupPanel view={view} openPerson={user => openPanel({ kind: 'person', user })} onClose={onClose} />
  }
}
