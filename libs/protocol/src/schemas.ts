/** The entry point for servers, tests and docs: the schemas, what checks by them, and the documents made from them. */
export { asyncApiDocument, commandExamples } from './asyncapi.ts'
export { decodeCommand, isUndecodable, ops, refusalBy, type Undecodable } from './decode.ts'
export {
  exampleOf,
  type FieldValues,
  joinWords,
  type Json,
  openAnswers,
  rewrite,
  type Schema,
  wireValues,
} from './document.ts'
export { down } from './down.ts'
export { ErrorSchema } from './down/error.ts'
export { ContactRequest } from './down/contacts.ts'
export { ConversationRequest } from './down/conversation-requests.ts'
export { Notification, UnreadNotifications } from './down/notifications.ts'
export { Entry, entries, entryCommands } from './entries.ts'
export {
  At,
  Body,
  ContactBody,
  ConversationCursor,
  ConversationHead,
  Cursor,
  Epoch,
  LocationBody,
  MemberRef,
  PollBody,
  PostedBody,
  Role,
  Seq,
  TextBody,
  User,
  Uuid,
} from './fields.ts'
export { refuseSource } from './json.ts'
export { Ack, deliveryClasses } from './message.ts'
export { up } from './up.ts'
export { Verdict } from './up/sync-resume.ts'
export { rest, type Rest } from './rest.ts'
export { answerDescription, answered, Bytes, named, saidOnly } from './rest/fields.ts'
export { passkeyIdLengthMax } from './rest/passkeys.ts'
export { type AnswersOf, always, type Content, refusalsOf, type Route, tags } from './rest/route.ts'
