/** What the people of the demo workspace say: made up from parts, the same at every start. */
import type { PostedBody } from '@flotilla/protocol'

export const people = [
  { username: 'maya', displayName: 'Maya Lindqvist' },
  { username: 'theo', displayName: 'Theo Okafor' },
  { username: 'linh', displayName: 'Linh Nguyễn' },
  { username: 'dalia', displayName: 'داليا حداد' },
] as const
export type Name = (typeof people)[number]['username']

export interface Room {
  /** Of a group; a direct conversation has none. */
  readonly name?: string
  /** The first one starts it. */
  readonly members: readonly [Name, Name, ...Name[]]
  readonly messages: number
  readonly lines: (random: () => number) => string
}

/** Numbers from 0 to 1 that are the same at every start. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

export const pick = <T>(random: () => number, of: readonly T[]): T => of[Math.floor(random() * of.length)]!

const work = {
  things: [
    'the sign-up page',
    'the release note',
    'the new onboarding',
    'the pricing table',
    'the search index',
    'the dark theme',
    'the export job',
    'the mobile layout',
    'the status page',
    'the beta invite',
    'the landing page copy',
    'the support inbox',
  ],
  states: [
    'is ready for review',
    'needs one more pair of eyes',
    'went out this morning',
    'is blocked on the translations',
    'looks much calmer now',
    'is slower than yesterday on my phone',
    'has a typo in the second paragraph',
    'passes all tests again',
    'can wait until Monday',
    'got great feedback from the two customers I asked',
  ],
  short: [
    'On it.',
    'Thanks, that helps!',
    'Makes sense to me.',
    'Give me ten minutes 🙏',
    'Who can take this one?',
    'Done ✅',
    'Nice find.',
    'I would rather keep it simple.',
    'Same here.',
    'Let me check and come back to you.',
    'Agreed. Ship it 🚀',
    'Can we talk about this tomorrow?',
  ],
  long: [
    'I read through all the interviews again. Three out of five people stop at the same step: they do not know whether the invitation was sent. If we say so right there, and show who was invited, I think most of the questions in the support inbox go away.',
    'Summary of the call: we keep the date, cut the import from the first version, and put the time into the empty states instead. I will write it down properly and share it before lunch.',
    '**Plan for today**\n- finish the empty states\n- review the copy with Linh\n- try the whole thing once on a slow phone\n- _maybe_ the animation',
    'Found it. The list was sorted twice:\n```ts\nconst shown = items\n  .filter(item => item.visible)\n  .toSorted((a, b) => b.at - a.at)\n```\nOnce is enough.',
    '> Do we need the third step at all?\nI asked myself the same. ~~Yes~~ No: everything in it can be guessed from the first two.',
    'Background reading, if you have ten minutes: https://www.w3.org/WAI/WCAG22/quickref/ and the part about focus order in particular.',
    'The surprise for Friday: ||there will be cake||',
  ],
}

const hike = {
  things: ['the north trail', 'the lake path', 'the early bus', 'the picnic', 'the view point', 'the old mill'],
  states: [
    'sounds perfect',
    'is closed until June',
    'takes about three hours',
    'was lovely last year',
    'is my favourite',
  ],
  short: [
    'In!',
    '🥾',
    'Count me in 🙌',
    'I bring coffee ☕',
    'Who has a car?',
    'See you at the station',
    'Rain or shine',
    '🌦️',
  ],
  long: [
    'الجو يوم الجمعة مشمس، ٢١ درجة. نلتقي عند المحطة الساعة الثامنة صباحًا؟',
    'Packing list: water, sun cream, a light jacket, and something sweet to share. I have a spare pair of poles if anybody needs them.',
    'صباح الخير للجميع 🌞 أنا جاهزة!',
  ],
}

const linesOf = (topic: typeof work) => (random: () => number) => {
  const dice = random()
  if (dice < 0.1) return pick(random, topic.long)
  if (dice < 0.45) return pick(random, topic.short)
  const line = `${pick(random, topic.things)} ${pick(random, topic.states)}`
  return `${line[0]!.toUpperCase()}${line.slice(1)}${pick(random, ['.', '.', '.', ', I think.', '!', ' 👀', '. What do you think?'])}`
}

export const rooms: readonly Room[] = [
  { name: 'Launch week', members: ['maya', 'theo', 'linh', 'dalia'], messages: 1_050, lines: linesOf(work) },
  { name: 'Design review', members: ['linh', 'maya', 'theo'], messages: 500, lines: linesOf(work) },
  {
    name: 'Friday hike · مشوار الجمعة',
    members: ['dalia', 'maya', 'theo', 'linh'],
    messages: 250,
    lines: linesOf(hike),
  },
  { members: ['maya', 'theo'], messages: 120, lines: linesOf(work) },
  { members: ['dalia', 'maya'], messages: 80, lines: linesOf(hike) },
]

export const poll = {
  type: 'poll',
  question: 'When do we launch?',
  options: ['Tuesday', 'Wednesday', 'Thursday'],
  fallback: 'When do we launch?\n1. Tuesday\n2. Wednesday\n3. Thursday',
} satisfies PostedBody

export const place = {
  type: 'location',
  latitude: 59.3303,
  longitude: 18.0586,
  name: 'Central station, main hall',
  fallback: 'Central station, main hall (59.3303, 18.0586)',
} satisfies PostedBody

export const card = {
  type: 'contact',
  name: 'Jonas Berg',
  organization: 'Berg Print',
  phones: ['+46 8 123 456'],
  emails: ['jonas@bergprint.example'],
  fallback: 'Jonas Berg, Berg Print, +46 8 123 456, jonas@bergprint.example',
} satisfies PostedBody

export const emojis = ['👍', '❤️', '🎉', '😂', '🚀', '👀'] as const
