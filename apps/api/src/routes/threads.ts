/** Threads: their messages, and what a person has to do with them. */
import { messages } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function threadRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  const at = ({ id: conversation, seq: thread }: { readonly id: string; readonly seq: number }) => ({
    conversation,
    thread,
  })
  serve(app, deps, rest.threads, {
    listThreads: async request => messages.listThreads(chat, request.caller.user, request.query),
    readThread: async request =>
      messages.readThread(chat, request.caller.user, { ...at(request.params), ...request.query }),
    followThread: async request => messages.followThread(chat, request.caller.user, at(request.params)),
    unfollowThread: async request => messages.unfollowThread(chat, request.caller.user, at(request.params)),
    markThreadRead: async request =>
      messages.markThreadRead(chat, request.caller.user, { ...at(request.params), seq: request.body.seq }),
  })
}
