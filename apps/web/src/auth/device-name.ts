/** How this device is called in the list of sessions: the browser and the system, as people know them. */

const browsers = [
  ['Edge', /Edg/],
  ['Opera', /OPR\//],
  ['Firefox', /(Firefox|FxiOS)\//],
  ['Chrome', /(Chrome|Chromium|CriOS)\//],
  ['Safari', /Safari\//],
] as const

const systems = [
  ['Android', /Android/],
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['ChromeOS', /CrOS/],
  ['Linux', /Linux/],
] as const

/** Browsers claim to be each other: the first that fits is the one. */
export function deviceName(agent = navigator.userAgent): string {
  const first = (list: readonly (readonly [string, RegExp])[]) => list.find(([, mark]) => mark.test(agent))?.[0]
  return [first(browsers), first(systems)].filter(part => part !== undefined).join(' · ') || 'Web'
}
