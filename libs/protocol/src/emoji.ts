/** What people react with: one emoji of Unicode, in the one form that it is compared and shown in. */
import { limits } from './limits.ts'

/** What is shown as text unless a variation selector asks for the picture. With a skin tone it is a picture already. */
const shownAsText = /(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu
const selector = '\ufe0f'

/** Made when it is first needed: a browser from before 2023 does not know the flag, and leaves the check to the server. */
let isOne: ((text: string) => boolean) | undefined
function makeCheck(): (text: string) => boolean {
  try {
    const one = new RegExp('^\\p{RGI_Emoji}$', 'v')
    return text => one.test(text)
  } catch {
    return () => true
  }
}

/**
 * @returns the emoji fully qualified, so that ❤ and ❤️ are one; undefined where the text is not exactly one emoji that
 *   Unicode recommends for interchange: with skin tones, as a flag, a keycap or a joined sequence
 */
export function qualifyEmoji(text: string): string | undefined {
  if (text.length > limits.emojiLengthMax * 2) return undefined
  isOne ??= makeCheck()
  const qualified = text.replaceAll(selector, '').replace(shownAsText, `$&${selector}`)
  return isOne(qualified) ? qualified : undefined
}

export const emojiRule = 'one emoji'
