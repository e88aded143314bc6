import { signal } from '../message.ts'

export const refresh = signal(
  'refresh',
  'Signals may not have reached this connection: read anew what they tell of (contacts, requests, blocks, notifications, muting, profiles). It comes once for however many.',
  {},
)
