/**
 * The limits that belong to the wire itself. Both sides know them, so that a client can check before it sends. A length is
 * counted in Unicode code points, bytes in UTF-8. Limits that an operator tunes (rates, queue sizes) are settings of the gateway; `hello`
 * tells the ones in force.
 */
export const limits = {
  /** A frame from a client. One byte more is answered with `frame_too_large`. */
  frameBytesMax: 32_768,
  /** The text of one message. */
  textLengthMax: 8_000,
  /** How deep the application's own `data` of a message may nest. */
  dataDepthMax: 8,
  /** The application's own `data` of a message, as JSON without blanks. */
  dataBytesMax: 8_192,
  /** People whom one message mentions. */
  mentionsMax: 20,
  /** Messages pinned in one conversation. */
  pinsMax: 50,
  /**
   * A reply, and an answer of the API, as JSON. What would be larger ends sooner and says that there is more; one entry
   * always fits.
   */
  replyBytesMax: 262_144,
  /** The least that a client may ask replies to be kept to. */
  replyBytesMin: 16_384,
  /** Entries in one page of history. */
  historyPageMax: 200,
  /** Cursors in one `sync.resume`, so that they fit into a frame; a client with more conversations sends several. */
  resumeCursorsMax: 400,
  /** Conversations that were not named, in one answer to `sync.resume`; `next` says where to go on. */
  resumeConversationsMax: 1_000,
  /** Entries replayed inside one answer to `sync.resume`; the rest is paged. */
  resumeEntriesMax: 1_000,
  /** Entries with which a conversation begins on a device that does not know it and asks for the latest. */
  resumeLatestMax: 50,
  /** A device that misses more of one conversation than this gets the verdict `resync` instead. */
  resumeGapMax: 10_000,
  /** People whose presence one connection may watch. */
  presenceWatchMax: 500,
  /** Conversations that one ping may ask about. */
  pingSeenMax: 32,
  /** Members named in one creation or addition. */
  membersAtOnceMax: 200,
  /** Members of one group. */
  groupMembersMax: 100_000,
  /** What goes with a contact request. */
  contactNoteLengthMax: 300,
  /** What is said about a report. */
  reportCommentLengthMax: 1_000,
  /** The name of a group. */
  nameLengthMax: 120,
  /** What people say about themselves. */
  aboutLengthMax: 500,
  /** What people are searched by. What is shorter finds usernames alone, but for scripts in which a letter is a word. */
  searchLengthMin: 2,
  searchLengthMax: 100,
  /** A picture as it is sent: its bytes, and its pixels. */
  pictureBytesMax: 5_242_880,
  picturePixelsMax: 40_000_000,
  /** Unread notifications are counted up to this; more is shown as 99+. */
  unreadNotificationsMax: 100,
  /** Ids of commands are unsigned 32-bit numbers; a client may start again at 1. */
  commandIdMax: 4_294_967_295,
} as const

export type Limits = typeof limits

/** A picture of a person lies there as a square of so many pixels. */
export const avatarSizes = [64, 256, 640] as const

/** How much of its rate a command takes, where it is not 1: what it costs the store. */
export const commandWeights: Readonly<Record<string, number>> = {
  'history.page': 4,
  'sync.resume': 10,
  'presence.watch': 4,
}

/** A command takes one more for so many people or conversations that it names. */
export const namedPerToken = 50

/** What a command takes of its rate. Both sides count alike. */
export function commandWeight(op: string, fields: object): number {
  const { users, cursors } = fields as { readonly users?: readonly string[]; readonly cursors?: readonly object[] }
  const named = (users?.length ?? 0) + (cursors?.length ?? 0)
  return (commandWeights[op] ?? 1) + Math.floor(named / namedPerToken)
}
