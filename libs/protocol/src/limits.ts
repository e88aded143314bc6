/**
 * The limits that belong to the wire itself. Both sides know them, so that a client can check before it sends. A length is
 * counted in Unicode code points, bytes in UTF-8. Limits that an operator tunes (rates, queue sizes) are settings of the gateway; `hello`
 * tells the ones in force.
 */
export const limits = {
  /** A frame from a client. Larger ones are refused with `frame_too_large`. */
  frameBytesMax: 32_768,
  /** The text of one message. */
  textLengthMax: 8_000,
  /** The nesting depth of the application-defined `data` of a message. */
  dataDepthMax: 8,
  /** The application-defined `data` of a message, as JSON without whitespace. */
  dataBytesMax: 8_192,
  /** The plain-text rendering of a body that is no text. */
  fallbackLengthMax: 1_000,
  /** The radius of uncertainty of a location, in metres. */
  accuracyMMax: 100_000,
  /** The address of a location. */
  placeAddressLengthMax: 300,
  /** Phone numbers of a contact card, and as many email addresses. */
  contactWaysMax: 10,
  /** One phone number. */
  phoneLengthMax: 32,
  /** One email address. */
  emailLengthMax: 254,
  /** Mentions in one message. */
  mentionsMax: 20,
  /** What is shown of the text of a message that another one answers, in graphemes. */
  quoteLengthMax: 100,
  /** Messages that somebody hides for themselves at once, and in one conversation; more is cleared up to a seq. */
  hiddenAtOnceMax: 100,
  hiddenMax: 5_000,
  /** Messages pinned in one conversation. */
  pinsMax: 50,
  /** One emoji: the longest that Unicode recommends has ten code points. */
  emojiLengthMax: 16,
  /** Different emoji that one message has as reactions. */
  reactionsPerMessageMax: 20,
  /** Different emoji with which one person reacts to one message. */
  reactionsPerPersonMax: 5,
  /** Messages that one person has starred. */
  starsMax: 5_000,
  /** What a poll asks, and what can be answered. */
  pollQuestionLengthMax: 300,
  pollOptionsMin: 2,
  pollOptionsMax: 12,
  pollOptionLengthMax: 100,
  /** How often one person may vote anew in a poll whose votes are no entries: an anonymous one, or one of a crowd. */
  pollVotesMax: 100,
  /** Threads that one person follows. */
  threadsFollowedMax: 1_000,
  /** Those who answered last, as a thread names them. */
  threadPeopleMax: 5,
  /**
   * A reply, and a response of the API, as JSON. Larger ones are cut short and say that there is more; one entry always
   * fits.
   */
  replyBytesMax: 262_144,
  /** The lowest `bytesMax` that a client may ask for. */
  replyBytesMin: 16_384,
  /** Entries in one page of history. */
  historyPageMax: 200,
  /** Cursors in one `sync.resume`, so that they fit into a frame. A client with more conversations sends several. */
  resumeCursorsMax: 400,
  /** Conversations that were not named, in one reply to `sync.resume`; `next` says where to continue. */
  resumeConversationsMax: 1_000,
  /** Entries replayed in one reply to `sync.resume`; the rest is paged. */
  resumeEntriesMax: 1_000,
  /** Entries of a conversation that the device does not know, with `start: latest`. */
  resumeLatestMax: 50,
  /** A device that misses more entries of a conversation gets the verdict `resync`. */
  resumeGapMax: 10_000,
  /** Users whose presence one connection may watch. */
  presenceWatchMax: 500,
  /** Conversations in one `ping`. */
  pingSeenMax: 32,
  /** Members in one request to create a group or add members. */
  membersAtOnceMax: 200,
  /** Members of one group. */
  groupMembersMax: 100_000,
  /** The note of a contact request. */
  contactNoteLengthMax: 300,
  /** The comment of a report. */
  reportCommentLengthMax: 1_000,
  /** Conversations that one person has pinned. */
  pinnedConversationsMax: 20,
  /** The name of a group. */
  nameLengthMax: 120,
  /** The description of a group. */
  descriptionLengthMax: 1_000,
  /** The slowest slow mode of a group. */
  slowModeMsMax: 86_400_000,
  /** The `about` text of a profile. */
  aboutLengthMax: 500,
  /** A search text. Shorter ones match usernames only, except in scripts where one letter can be a name. */
  searchLengthMin: 2,
  searchLengthMax: 100,
  /** An uploaded image: its bytes and its pixels. */
  pictureBytesMax: 5_242_880,
  picturePixelsMax: 40_000_000,
  /** How long disappearing messages last: an hour to 90 days. */
  timerMsMin: 3_600_000,
  timerMsMax: 7_776_000_000,
  /** Messages that one `messages.expired` names. */
  expiredAtOnceMax: 200,
  /** How far ahead a message can be scheduled or a reminder set. */
  scheduleAheadMsMax: 31_622_400_000,
  /** Unread notifications are counted up to this, shown as 99+. */
  unreadNotificationsMax: 100,
  /** Command ids are unsigned 32-bit numbers; a client may start again at 1. */
  commandIdMax: 4_294_967_295,
} as const

export type Limits = typeof limits

/** The sizes of avatars: squares of so many pixels. */
export const avatarSizes = [64, 256, 640] as const

/** How much of the rate a command takes, where it is not 1: its cost to the database. */
export const commandWeights: Readonly<Record<string, number>> = {
  'history.page': 4,
  'sync.resume': 10,
  'presence.watch': 4,
}

/** A command takes one more for so many users or conversations that it names. */
export const namedPerToken = 50

/** What a command takes of its rate. Both sides count alike. */
export function commandWeight(op: string, fields: object): number {
  const { users, cursors } = fields as { readonly users?: readonly string[]; readonly cursors?: readonly object[] }
  const named = (users?.length ?? 0) + (cursors?.length ?? 0)
  return (commandWeights[op] ?? 1) + Math.floor(named / namedPerToken)
}
