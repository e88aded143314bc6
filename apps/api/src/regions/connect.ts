/** Which gateways to offer to a caller: those near first, the less loaded before the others, never all to the same. */
import type { RoutingNode } from '@flotilla/routing'

/** A gateway as `GET /v1/connect` names it. */
export interface GatewayUrl {
  readonly url: string
  readonly region: string
}

type NodeView = ReturnType<RoutingNode['nodes']>[number]

/** So many of one region, so that the list also reaches the next one when a region is cut off. */
const urlsPerRegionMax = 3
const urlsMax = 5

/**
 * Orders by load, by choosing the better of two at random again and again. Always choosing the best would send everybody
 * who comes between two beats to the same node.
 */
function byLoad(nodes: readonly NodeView[], random: () => number): NodeView[] {
  const left = [...nodes]
  const ordered: NodeView[] = []
  while (left.length > 0) {
    const draw = () => Math.floor(random() * left.length)
    const [one, two] = [draw(), draw()]
    const better = left[one]!.info.connections <= left[two]!.info.connections ? one : two
    ordered.push(...left.splice(better, 1))
  }
  return ordered
}

/**
 * Ranks the gateways that take connections.
 * @param regions the caller's regions, the nearest first; others come after them
 * @returns no URL twice: many nodes may stand behind one
 */
export function rankGateways(
  nodes: readonly NodeView[],
  regions: readonly string[],
  random: () => number,
): readonly GatewayUrl[] {
  const open = nodes.filter(node => node.state === 'live' && node.info.kind === 'gateway' && node.info.accepting)
  const order = new Set([...regions, ...open.map(node => node.info.region)])
  const ranked = [...order].flatMap(region => {
    const here = byLoad(
      open.filter(node => node.info.region === region),
      random,
    )
    const urls = new Map(here.map(node => [node.info.url, { url: node.info.url, region }]))
    return [...urls.values()].slice(0, urlsPerRegionMax)
  })
  return ranked.slice(0, urlsMax)
}
