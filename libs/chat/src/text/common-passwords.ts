/** The commonest passwords of eight characters and more, in lower case, from the lists of leaked ones. */
import { dictionary } from '@zxcvbn-ts/language-common'

const lengthMin = 8

/** Some 18,000: 50 ms once and 3 MB, so it is imported where a password is first set, and by no gateway or worker. */
export const commonPasswords: ReadonlySet<string> = new Set(
  dictionary['passwords-common'].filter(one => one.length >= lengthMin),
)
