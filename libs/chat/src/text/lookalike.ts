/**
 * What a reader takes for the same: the skeleton of UTS 39, of which two texts that can be confused have the same. The
 * table is Unicode's own (confusables.txt), by unhomoglyph.
 */
import unhomoglyph from 'unhomoglyph'

/** As it is read, whatever its case: an I that looks like an l is one. */
export function skeletonOf(text: string): string {
  const once = unhomoglyph(text.normalize('NFKD').replace(/\p{Default_Ignorable_Code_Point}/gu, ''))
  return unhomoglyph(once.toLowerCase()).normalize('NFC')
}

/** Of a username, as it is written. */
export const lookalikeOf = (username: string): string => skeletonOf(username)

/** The same in SQL, where usernames have ASCII letters only; the index of 0008-sign-in.sql is of this. */
export const lookalikeColumn = (column: string): string =>
  `replace(lower(translate(${column} COLLATE "C", '01I', 'Oll') COLLATE "C"), 'm', 'rn')`
