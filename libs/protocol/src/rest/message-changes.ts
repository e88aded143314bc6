/** What becomes of a message: edited, deleted for everybody, forwarded. For those without a socket. */
import { Type } from 'typebox'
import { At, Body, Seq } from '../fields.ts'
import { up } from '../up.ts'
import { answered, ById, BySeq, closed, done, listOf, named, ofMessage, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const { clientId, body } = up['message.edit'].schema.properties
const { source } = up['message.forward'].schema.properties

const MessageVersion = named(
  'MessageVersion',
  Type.Object(
    {
      seq: Type.With(Seq, { description: 'The entry that said it: the message itself, or an edit.' }),
      at: At,
      body: Body,
    },
    closed,
  ),
)
export type MessageVersion = Type.Static<typeof MessageVersion>
const Versions = Type.Object({ versions: listOf(MessageVersion), next: Type.Optional(Seq) }, closed)

const writing = [...ofMessage, 'blocked', 'request_pending', 'quota_exceeded'] as const

export const messageChanges = routes('messages', 'session', {
  editMessage: {
    at: 'PATCH /v1/conversations/{id}/messages/{seq}',
    summary: 'Edit a message',
    description:
      'Replaces the body of a message that you sent, within the time limit of the deployment (`EDIT_WINDOW_MS`) and of the group (`editWindowMs`). A request repeated with the same `clientId` gets the first result.',
    params: BySeq,
    body: Type.Object({ clientId, body }, closed),
    answers: { 200: answered('The place of the edit in the conversation.', up['message.edit'].reply) },
    refusals: [...writing, 'data_too_deep', 'too_late'],
  },
  deleteMessage: {
    at: 'DELETE /v1/conversations/{id}/messages/{seq}',
    summary: 'Delete a message for everyone',
    description:
      'Your own, within the time limit of the deployment (`DELETE_WINDOW_MS`) and of the group (`deleteWindowMs`); as owner or admin of a group, any message. The content is erased; the entry keeps its seq. Deleting a message again changes nothing.',
    params: BySeq,
    answers: done(),
    refusals: [...writing, 'role_insufficient', 'too_late'],
  },
  listVersions: {
    at: 'GET /v1/conversations/{id}/messages/{seq}/versions',
    summary: 'List the versions of a message',
    description:
      'The bodies that the message had before it was edited, if the deployment (`EDIT_HISTORY`) and the group (`editHistory`) keep them, then the current one, oldest first. Pass `next` as `after` for the next page.',
    params: BySeq,
    query: Type.Object({ limit: pageLimit(50, 50), after: Type.Optional(Seq) }, closed),
    answers: { 200: answered('A page of versions.', Versions) },
    refusals: ofMessage,
  },
  forwardMessage: {
    at: 'POST /v1/conversations/{id}/forwards',
    summary: 'Forward a message',
    description:
      'Posts a copy of a message that you can read, from this conversation or another. The server copies the body, without its mentions; `forwarded` names the author. A request repeated with the same `clientId` gets the first result.',
    params: ById,
    body: Type.Object({ clientId, source }, closed),
    answers: { 201: answered('The place of the message in the conversation.', up['message.forward'].reply) },
    refusals: [...writing, 'forwarding_disabled'],
  },
})
