/** What `npm run bench` can measure, in the order in which `all` does. */
import type { Scenario } from './bench.ts'
import { direct, directApart, directCentrifugo, directFilled } from './scenarios/direct.ts'
import { directFleet } from './scenarios/direct-fleet.ts'
import { directOpen } from './scenarios/direct-open.ts'
import { group } from './scenarios/group.ts'
import { history } from './scenarios/history.ts'
import { idle } from './scenarios/idle.ts'
import { jitter } from './scenarios/jitter.ts'
import { mixed } from './scenarios/mixed.ts'
import { persist } from './scenarios/persist.ts'
import { signIns } from './scenarios/sign-ins.ts'
import { soak } from './scenarios/soak.ts'
import { storm } from './scenarios/storm.ts'
import { web } from './scenarios/web.ts'

export const scenarios: readonly Scenario[] = [
  direct,
  directCentrifugo,
  directApart,
  directFilled,
  directFleet,
  soak,
  directOpen,
  mixed,
  persist,
  history,
  idle,
  group,
  storm,
  jitter,
  signIns,
  web,
]
