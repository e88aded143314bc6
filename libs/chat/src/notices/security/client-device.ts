/** Where a sign-in comes from, so that its owner can recognise it. Shown, never trusted. */
export interface ClientDevice {
  /** What the person calls the device. */
  readonly deviceName: string
  /** The network address, as the API saw it. */
  readonly address: string
  /** ISO 3166-1 alpha-2, or empty where it is not known. */
  readonly country: string
  /** The User-Agent header, cut. */
  readonly agent: string
}
