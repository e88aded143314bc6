/** The state of a chat in React: a provider, and a hook for each thing that is shown. */
export { type ChatRoot, FlotillaProvider, type FlotillaProviderProps, useFlotilla } from './provider.tsx'
export {
  type DraftActions,
  type MessageActions,
  useConnection,
  useConversation,
  useConversations,
  useDraft,
  useMe,
  useMessages,
  usePresence,
  useReceipts,
  useThread,
  useTyping,
  useUnread,
  useUser,
} from './hooks.ts'
