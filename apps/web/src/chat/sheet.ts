/** What may stand over the page, one at a time. */
export type Sheet = 'new' | 'requests' | 'find' | 'notices' | 'starred' | 'scheduled' | 'threads' | 'reminders' | 'keys'
