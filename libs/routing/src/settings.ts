/** Every time and every limit of a node, with its default. All nodes of a fleet must agree on the first two. */
export const nodeDefaults = {
  /** Between two beats. */
  beatMs: 3_000,
  /** A node that has not beaten for so long is dead. */
  leaseMs: 9_000,
  /** Between two attempts while the store is away. */
  retryMs: 500,
  /** The least time between two beats, when something asks for one before its time. */
  earlyBeatMs: 100,
  /** A node that does not hear its own envelope for so long is deaf, and opens its inbox anew. */
  echoMsMax: 2_000,
  /** How long `start` waits for the store before it goes on without. */
  startWaitMs: 5_000,
  /** Whatever is suspected is suspected from so much earlier on: commits take a moment, and so does what is on its way. */
  suspectMarginMs: 5_000,
  suspectGatherMs: 100,
  suspectPauseMs: 1_000,
  /** A report waits a random part of this, so that the nodes of a fleet do not all ask the store at the same moment. */
  suspectJitterMs: 1_500,
  /** What another node says of how long it could not send is believed up to this. */
  suspectAgeMsMax: 3_600_000,
  /** Envelopes that cannot be read are one suspicion in so long, however many they are. */
  unreadablePauseMs: 10_000,
  /** For how many beats after an envelope its number is repeated. */
  tallyBeats: 3,
  /** Changes of presence are gathered for so long, and a flap in it cancels out. */
  presenceGatherMs: 250,
  /** So long after something may have been lost, watched people are looked up again. */
  presenceRecheckMs: 2_000,
  presenceChangesMax: 500,
  /** Names in one write. */
  registerNamesMax: 512,
  /** Names that are checked with each beat. */
  auditNamesMax: 256,
  /** How long a claim to sweep a dead place holds. */
  sweepClaimMs: 10_000,
  /** People of whom it is remembered whether the last look-up found them, and for how long. */
  hintsMax: 50_000,
  hintMs: 30_000,
  /** What goes by interest waits so long, and so many entries at most, for the look-up of who is away. */
  absenceGatherMs: 250,
  absenceEntriesMax: 10_000,
  /** After a look-up that failed, none is tried for so long. */
  lookupPauseMs: 250,
  /** Frames that wait or are under way to other nodes, in characters. */
  waitingCharsMax: 64_000_000,
  /** One envelope, in characters. */
  envelopeCharsMax: 1_000_000,
}

export type NodeSettings = Readonly<typeof nodeDefaults>
