/**
 * The domain and the way to the other nodes know each other only here. The domain emits after its commit, and what it emits is
 * routed; whoever was found nowhere is noted in the offline index, for the worker to push to.
 */
import { type ChatContext, type ChatOptions, createChat, offline } from '@flotilla/chat'
import { createNode, type NodeOptions, type NodePorts, portsWithoutSockets, type RoutingNode } from '@flotilla/routing'
import type { Logger, TraceEntry } from '@flotilla/service'

export interface JoinOptions {
  /** The domain, but for what it is given here. */
  readonly chat: Omit<ChatOptions, 'logger' | 'trace' | 'presumedAbsent' | 'spendAll' | 'emit'>
  readonly node: Pick<NodeOptions, 'id' | 'store' | 'info' | 'random'>
  /** What sockets of this process do with what reaches them; missing where there are none. */
  readonly sockets?: Omit<NodePorts, 'absent'>
  readonly logger: Logger
  /** Missing when nothing is traced. */
  readonly trace?: TraceEntry | undefined
}

export interface JoinedNode {
  readonly chat: ChatContext
  /** It is not started: whoever has sockets makes ready for what comes first. */
  readonly node: RoutingNode
}

export async function joinNode(options: JoinOptions): Promise<JoinedNode> {
  const { logger, sockets } = options
  const traced = options.trace === undefined ? {} : { trace: options.trace }
  const absent: NodePorts['absent'] = absences =>
    void offline
      .note(chat, absences)
      .catch((error: unknown) => logger.warn({ err: error }, 'unable to record undelivered changes'))
  const chat = await createChat({
    ...options.chat,
    ...traced,
    logger,
    presumedAbsent: users => node.presumedAbsent(users),
    spendAll: charges => node.budgets.spendAll(charges),
    // The event goes along: V8 copies an object at once, and one by one what is left when a field is taken out.
    emit: emission => void node.route([{ ...emission, frame: JSON.stringify(emission.event) }]),
  })
  const node = createNode({
    ...options.node,
    ...traced,
    logger,
    ports: sockets === undefined ? portsWithoutSockets(absent) : { ...sockets, absent },
  })
  return { chat, node }
}
