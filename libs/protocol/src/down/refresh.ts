import { signal } from '../message.ts'

export const refresh = signal(
  'refresh',
  'This connection may have missed signals: reload contacts, requests, blocks, notifications, mutes and profiles. Sent once, however many were missed.',
  {},
)
