/** The sound of a message: two short tones that rise, made here. */

const tones = [
  { hertz: 660, at: 0 },
  { hertz: 880, at: 0.09 },
] as const
const seconds = 0.18
const loudness = 0.12
/** Of messages that come in a burst one is heard. */
const pauseMs = 1_500

let context: AudioContext | undefined
let playedAt = Number.NEGATIVE_INFINITY

/** Nothing is heard before the person has touched the page: browsers see to that, and say so in the console. */
export async function playSound(): Promise<void> {
  // Browsers without it decide by themselves.
  const { userActivation = { hasBeenActive: true } } = navigator as Partial<Navigator>
  if (!userActivation.hasBeenActive || performance.now() - playedAt < pauseMs) return
  playedAt = performance.now()
  context ??= new AudioContext()
  await context.resume()
  for (const { hertz, at } of tones) {
    const from = context.currentTime + at
    const tone = new OscillatorNode(context, { type: 'sine', frequency: hertz })
    const gain = new GainNode(context, { gain: 0 })
    gain.gain.setValueAtTime(0, from)
    gain.gain.linearRampToValueAtTime(loudness, from + 0.01)
    gain.gain.exponentialRampToValueAtTime(0.001, from + seconds)
    tone.connect(gain).connect(context.destination)
    tone.start(from)
    tone.stop(from + seconds)
  }
}
