export { type FcmAccount, readWorkerSettings, smtpUrl, type WorkerValues, workerSettings } from './config.ts'
export { createDevInbox, type DevInbox, type DevMail } from './dev-inbox.ts'
export { createSmtpMailer, type Mailer, type OutgoingMail, type SmtpOptions } from './mailer.ts'
export { createFcm, type FcmOptions } from './push-fcm.ts'
export type { PushLimits, PushProvider } from './push-provider.ts'
export { createWebPush, type WebPushOptions } from './push-web.ts'
export { openPushProviders, type PushProvidersOptions } from './push-providers.ts'
export {
  createWorker,
  mailMsMax,
  type Worker,
  workerDefaults,
  type WorkerOptions,
  type WorkerSettings,
} from './worker.ts'
export { workerMetrics } from './metrics.ts'
