/**
 * Names that speak for the deployment: nobody's username or display name is one, or looks like one (UTS 39), or is made of
 * nothing else: `Admin`, `аdmin` with a Cyrillic а, `adm1n`, `Support Team`, `A d m i n`, the name of the deployment.
 */
import { Refusal } from '@flotilla/protocol'
import type { UsersContext } from './context.ts'
import { skeletonOf } from '../text/lookalike.ts'

/** RFC 2142 and what people take for an office. `deleted` begins the names of those who were erased (erase.ts). */
const reserved = `
  abuse admin administration administrator administrators admins all anonymous billing deleted donotreply everyone help
  helpdesk here hostmaster mailerdaemon me moderator moderators noreply null official operator operators postmaster root
  security staff superuser support sysadmin sysop system undefined webmaster`
  .trim()
  .split(/\s+/)

/** What such a name may be decorated with. */
const decoration = 'a account and center centre desk group of person service services team the user'.split(' ')

/** Of an ordinary word and of one in capitals: the I of `ADMIN` looks like an l. */
const keysOf = (word: string) => [skeletonOf(word), skeletonOf(word.toLowerCase()), skeletonOf(word.toUpperCase())]

/** Words without what stands around them: blanks, signs, digits in front and behind. */
const wordsOf = (name: string): string[] =>
  name
    .normalize('NFKC')
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .map(word => word.replace(/^\p{Nd}+|\p{Nd}+$/gu, ''))
    .filter(word => word !== '')

interface Lists {
  readonly reserved: ReadonlySet<string>
  readonly decoration: ReadonlySet<string>
}

/** Made once for each deployment, which is one for each process. */
const made = new WeakMap<object, Lists>()

function listsOf({ settings }: Pick<UsersContext, 'settings'>): Lists {
  const known = made.get(settings)
  if (known !== undefined) return known
  const deployment = wordsOf(settings.deploymentName)
  const own = [deployment, ...settings.reservedNames.map(wordsOf)]
    .map(words => words.join(''))
    .filter(name => name !== '')
  const lists = {
    reserved: new Set([...reserved, ...own].flatMap(keysOf)),
    decoration: new Set([...decoration, ...deployment].flatMap(keysOf)),
  }
  made.set(settings, lists)
  return lists
}

/** Whether a username or a display name speaks for the deployment. */
export function isReserved(ctx: Pick<UsersContext, 'settings'>, name: string): boolean {
  const lists = listsOf(ctx)
  const words = wordsOf(name)
  const isIn = (set: ReadonlySet<string>, word: string) =>
    [skeletonOf(word), skeletonOf(word.toLowerCase())].some(key => set.has(key))
  if (isIn(lists.reserved, words.join('')) || /^deleted[._-]/i.test(name)) return true
  const offices = words.filter(word => isIn(lists.reserved, word))
  return offices.length > 0 && words.every(word => offices.includes(word) || isIn(lists.decoration, word))
}

export function nameReserved(field: string): Refusal {
  const rule = 'not reserved, nor similar to a reserved name'
  return new Refusal('field_invalid', `${field}: must be ${rule}`, { field, rule })
}
