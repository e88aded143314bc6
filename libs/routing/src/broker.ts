/**
 * Envelopes from node to node. Every node has one inbox of its own; there is no pattern, and no channel that nodes
 * share, so nobody hears what he has no use for.
 *
 * Guaranteed: what one publisher sends to one inbox arrives at most once and in order. Not guaranteed: that it arrives.
 * Who needs to know numbers his envelopes (numbers.ts).
 */
export interface Broker {
  /**
   * Opens the inbox, and keeps it open: it is tried again until `close`. Called once.
   * @param onEnvelope undefined for what came and was not sealed by a node of the fleet
   */
  subscribe(inbox: string, onEnvelope: (text: string | undefined) => void): void
  /**
   * Sends one envelope.
   * @returns how many listen to the inbox: 0 means that nobody has it
   * @throws when the broker cannot be reached; then nobody knows whether it was sent
   */
  publish(inbox: string, text: string): Promise<number>
  /** `up` while the inbox is open. What was sent to it while `down` is lost. */
  state(): 'up' | 'down'
  /** Hears of each change of the state. */
  onState(listener: (state: 'up' | 'down') => void): void
  /** Closes the inbox and opens it anew: for one that turned out to be deaf. */
  renew(): void
  close(): Promise<void>
}
