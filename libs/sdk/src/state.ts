/** The second door: what an application shows, kept up to date. */
export { type ChatArchive, type Kept, type KeptChange } from './state/archive.ts'
export { createIndexedDbArchive, type IndexedDbArchiveOptions } from './state/archive-indexeddb.ts'
export { type ChatStateOptions, createChatState } from './state/chat-state.ts'
export type { KeptLog } from './state/log.ts'
export { createNotifications, type Notifications, type NotificationsView } from './state/notifications.ts'
export type { KeptFailure } from './state/sends.ts'
export type {
  ChatState,
  ConversationItem,
  ConversationList,
  ConversationView,
  Counts,
  DraftState,
  LastMessage,
  MessageRow,
  NoticeEntry,
  NoticeRow,
  PollView,
  ReactionView,
  Readable,
  ReceiptsOf,
  Row,
  SendStateName,
  Timeline,
  TimelineView,
} from './state/views.ts'
