/** Every attack, in the order in which they are tried: those that break trust first, floods and what takes long last. */
import type { Attack } from '../attack.ts'
import { closedRegistration } from './closed-registration.ts'
import { devMail } from './dev-mail.ts'
import { endlessResume } from './endless-resume.ts'
import { fanOut } from './fan-out.ts'
import { heldBodies } from './held-bodies.ts'
import { mailFlood } from './mail-flood.ts'
import { manySockets } from './many-sockets.ts'
import { misleadingNames } from './names.ts'
import { narrowPipe } from './narrow-pipe.ts'
import { oddFrames } from './odd-frames.ts'
import { oddRequests } from './odd-requests.ts'
import { oversizeFrames } from './oversize-frames.ts'
import { passwordGuessing } from './password-guessing.ts'
import { receiptsToStrangers } from './receipts.ts'
import { redisFoothold } from './redis-foothold.ts'
import { repeatedSend } from './repeated-send.ts'
import { revokedGreeting } from './revoked-greeting.ts'
import { searchFlood } from './search-flood.ts'
import { silentReaders } from './silent-readers.ts'
import { stepUp } from './step-up.ts'
import { unsolicited } from './unsolicited.ts'

export const attacks: readonly Attack[] = [
  devMail,
  redisFoothold,
  revokedGreeting,
  repeatedSend,
  receiptsToStrangers,
  unsolicited,
  manySockets,
  silentReaders,
  oversizeFrames,
  fanOut,
  endlessResume,
  narrowPipe,
  heldBodies,
  searchFlood,
  mailFlood,
  passwordGuessing,
  stepUp,
  misleadingNames,
  closedRegistration,
  oddRequests,
  oddFrames,
]
