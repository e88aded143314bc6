/** All dashboards, in the order in which they are linked. */
import { delivery } from './delivery.ts'
import { edge } from './edge.ts'
import { fleet } from './fleet.ts'
import { node } from './node.ts'
import { people } from './people.ts'
import { worker } from './worker.ts'

export const dashboards = [fleet, node, delivery, people, worker, edge]
