/** Nobody signs up under a name that speaks for the deployment, or that looks like somebody else's. */
import { type Attack, none } from '../attack.ts'

const password = 'correct horse battery'

/** The last ones look like others: a Cyrillic letter, a zero-width one, mixed scripts, an upper-case I for an l. */
const usernames = [
  'admin',
  'Admin',
  'administrator',
  'support',
  'system',
  'postmaster',
  'root',
  'security',
  'аdmin',
  'al\u200bice',
  'alice\u202e',
  'pаypal',
]
const displayNames = ['\u202etroppuS', 'Su\u200bpport', 'Support\u2066', 'Аdmin', '\u2800', '\ufeff']

export const misleadingNames: Attack = {
  name: 'misleading-names',
  by: 'an outsider',
  tries: 'names that are reserved, that mix scripts, and that hide or turn what is read',
  async run(stand) {
    const taken: string[] = []
    for (const username of usernames) {
      const answer = await stand.call('POST /v1/users', { from: stand.address(), body: { username, password } })
      // What hides may also be taken out: then the name is another.
      const kept = answer.status < 400 && answer.body.user?.username === username
      if (kept || answer.status >= 500) taken.push(`${escaped(username)}: ${answer.status}`)
    }
    const shown: string[] = []
    const [person] = await stand.people(1)
    for (const displayName of displayNames) {
      const answer = await stand.call('PATCH /v1/me', {
        token: person!.token(),
        from: person!.from,
        body: { displayName },
      })
      const kept = answer.status < 400 && answer.body.displayName === displayName
      if (kept || answer.status >= 500) shown.push(`${escaped(displayName)}: ${answer.status}`)
    }
    return [none('usernames that were taken', taken), none('display names that were kept as they were', shown)]
  },
}

const escaped = (text: string) => text.replaceAll(/[^\w ]/gu, letter => `\\u{${letter.codePointAt(0)!.toString(16)}}`)
