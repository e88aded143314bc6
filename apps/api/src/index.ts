export type { ApiDeps } from './app.ts'
export { buildApp } from './build-app.ts'
export { boundSettings, toBounds } from './http/bound-settings.ts'
export {
  type ApiSettings,
  apiDefaults,
  apiSettings,
  migrateSettings,
  readApiSettings,
} from './config.ts'
export type { GatewayUrl } from './regions/connect.ts'
export { openApiDocument } from './http/document.ts'
export {
  type OpenIdSettings,
  type ProviderSettings,
  providerSettings,
  toProviders,
} from './sign-in/provider-settings.ts'
export {
  demandDomains,
  type RegistrationValues,
  registrationSettings,
  toRegistration,
  toRegistrationCheck,
} from './sign-in/registration-settings.ts'
export { loadCountries } from './regions/regions.ts'
export type { DevInbox, DevMail } from './routes/dev-mail.ts'
export type { SiteFile } from './routes/own-port.ts'
export { generateTokenKey, parseTokenKeys, type TokenKey } from './sign-in/tokens.ts'
export { apiMetrics } from './metrics.ts'
