/** Export of all the caller’s data, as an archive. */
import { file } from './fields.ts'
import { routes } from './route.ts'

export const dataExport = routes('account', 'reauthentication', {
  exportData: {
    at: 'GET /v1/me/export',
    summary: 'Export all my data',
    description:
      'A ZIP archive of JSON files: account, settings, sessions, devices, contacts, notifications, conversations, and the entries the caller may see in each, one per line. Streamed, so its length is not known in advance.',
    answers: { 200: file('application/zip', 'The archive.') },
    refusals: ['user_unknown'],
  },
})
