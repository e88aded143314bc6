/**
 * What stands beside the API where one port is all there is: pages, the files that they load, and a word for whoever opens
 * the socket's URL as if it were one. In a fleet the edge has them. Whatever is not named here stays unknown to the API.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '@flotilla/protocol'

/** Bytes that are the same for everybody. */
export interface SiteFile {
  readonly type: string
  /** As it is, and smaller, by the name of the encoding; the best first. */
  readonly bytes: Uint8Array
  readonly packed: readonly (readonly [encoding: string, bytes: Uint8Array])[]
  readonly tag: string
  /** Its name tells its content, so that it never changes. */
  readonly isHashed: boolean
  readonly policy?: string
}

export interface OwnPort {
  /** By the path that it is served at; `*` at its end stands for whatever follows. */
  readonly files: ReadonlyMap<string, SiteFile>
  readonly socketPath: string
}

const hidden = { hide: true }
const unchanged = 304

export function ownPortRoutes(app: FastifyInstance, { files, socketPath }: OwnPort): void {
  for (const [path, file] of files)
    app.get(path, { schema: hidden, config: { isFile: true } }, async (request, reply) =>
      sendFile(request, reply, file),
    )
  app.get(socketPath, { schema: hidden, exposeHeadRoute: false }, async (_request, reply) => {
    reply.header('connection', 'upgrade').header('upgrade', 'websocket')
    throw new Refusal('upgrade_required')
  })
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: SiteFile) {
  const { tag, type, isHashed, policy } = file
  reply
    .header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
    .header('etag', tag)
    .header('vary', 'accept-encoding')
    .header('cross-origin-resource-policy', 'same-origin')
  if (policy !== undefined) reply.header('content-security-policy', policy)
  if (request.headers['if-none-match'] === tag) return reply.code(unchanged).send()
  const [encoding, bytes] = pick(file, request.headers['accept-encoding'] ?? '')
  if (encoding !== undefined) reply.header('content-encoding', encoding)
  return reply.type(type).send(bytes)
}

/** A caller that refuses an encoding by `q=0` says so after its name. */
function pick({ bytes, packed }: SiteFile, accepted: string): readonly [string | undefined, Uint8Array] {
  const takes = (encoding: string) =>
    new RegExp(String.raw`(^|,)\s*${encoding}\s*(?!;\s*q=0(\.0*)?\s*(,|$))`).test(accepted)
  return packed.find(([encoding]) => takes(encoding)) ?? [undefined, bytes]
}
