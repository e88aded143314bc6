/** The commonest passwords of eight characters and more, in lower case, from the lists of leaked ones. */
import { dictionary } from '@zxcvbn-ts/language-common'

const lengthMin = 8

/** Some 18,000. Loaded at the start (50 ms, 3 MB), so that no request has to wait for it. */
export const commonPasswords: ReadonlySet<string> = new Set(
  dictionary['passwords-common'].filter(one => one.length >= lengthMin),
)
