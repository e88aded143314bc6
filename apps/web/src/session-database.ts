/** The name of the database of the session: the page keeps it there, and the service worker looks. */
export const sessionDatabase = 'flotilla-account'
