export { type ApiDeps, buildApp } from './app.ts'
export { boundSettings, toBounds } from './bound-settings.ts'
export {
  type ApiSettings,
  apiDefaults,
  apiSettings,
  migrateSettings,
  readApiSettings,
} from './config.ts'
export type { GatewayUrl } from './connect.ts'
export { openApiDocument } from './document.ts'
export { type OpenIdSettings, type ProviderSettings, providerSettings, toProviders } from './provider-settings.ts'
export {
  demandDomains,
  type RegistrationValues,
  registrationSettings,
  toRegistration,
  toRegistrationCheck,
} from './registration-settings.ts'
export { loadCountries } from './regions.ts'
export type { DevInbox, DevMail } from './routes/dev-mail.ts'
export { generateTokenKey, parseTokenKeys, type TokenKey } from './tokens.ts'
export { apiMetrics } from './metrics.ts'
