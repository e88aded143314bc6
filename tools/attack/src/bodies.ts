/** The largest text that a message may have: of letters that take three bytes each. */
import { limits } from '@flotilla/protocol'

export const cjk = '漢'.repeat(limits.textLengthMax)
export const cjkBytes = Buffer.byteLength(cjk)

/** What one answer may hold: 256 KB of entries, and some room for what is around them. */
export const replyBytesMax = 288 * 1_024
