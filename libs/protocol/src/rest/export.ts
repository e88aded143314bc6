/** All of one’s data, as an archive. */
import { file } from './fields.ts'
import { routes } from './route.ts'

export const dataExport = routes('account', 'proof', {
  exportMe: {
    at: 'GET /v1/me/export',
    summary: 'Export all my data',
    description:
      'A ZIP archive of JSON: the account, its settings, sessions, devices, contacts, notifications, conversations, and the entries of each conversation that the caller may see, one on each line. It is written while it is sent, so its length is not known in advance.',
    answers: { 200: file('application/zip', 'The archive.') },
    refusals: ['user_unknown'],
  },
})
