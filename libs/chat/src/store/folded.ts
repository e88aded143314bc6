/**
 * The index's side of a comparison without case. The collation is pinned: that of a database folds I to ı in Turkey, and
 * one name had two accounts. Beyond ASCII it folds nothing; that is done by who writes (users/email.ts).
 */
export const folded = (column: string): string => `lower(${column} COLLATE "C")`
