/**
 * The two cookies of a browser: its refresh token, and what tells that it has signed in before. Scripts cannot read them,
 * foreign pages cannot make a browser send them (SameSite=Strict), and they are read on the routes that sign in alone,
 * only with a header that a foreign page cannot send without being asked by CORS first.
 *
 * Over https they are `__Host-` cookies, which no other host below the same domain can set and no http page can replace.
 * Such a cookie has no path: the browser sends it along with every request to this host.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RouteDeps } from '../app.ts'
import { deviceLifeMs, type KnownDevice, signDeviceToken, verifyDeviceToken, verifyRefreshToken } from './tokens.ts'

const refreshName = 'flotilla_refresh'
const deviceName = 'flotilla_device'
const onHost = (name: string) => `__Host-${name}`

export const wantsCookie = (request: FastifyRequest) => request.headers['x-flotilla-cookie'] === '1'

const shared = { httpOnly: true, sameSite: 'strict' } as const
const hostOptions = { ...shared, path: '/', secure: true }
/** Without https, and for the version before, which knows no other. */
const plainOptions = (deps: RouteDeps) => ({ ...shared, path: '/v1/sessions', secure: deps.settings.cookieSecure })

/** While a roll-out is half done, the next refresh may reach a process of the version before: it finds the plain cookie. */
export function setRefreshCookie(deps: RouteDeps, reply: FastifyReply, refreshToken: string): void {
  const maxAge = Math.floor(deps.chat.settings.sessionIdleMs / 1_000)
  if (deps.settings.cookieSecure) reply.setCookie(onHost(refreshName), refreshToken, { ...hostOptions, maxAge })
  reply.setCookie(refreshName, refreshToken, { ...plainOptions(deps), maxAge })
}

/** Takes the cookie away from a browser whose session is over. */
export function clearRefreshCookie(deps: RouteDeps, reply: FastifyReply): FastifyReply {
  if (deps.settings.cookieSecure) reply.clearCookie(onHost(refreshName), hostOptions)
  return reply.clearCookie(refreshName, plainOptions(deps))
}

/**
 * @returns whether there is a cookie, and what it says if it is one of ours. Beside one of the host the plain one counts
 *   only where the version before has refreshed the same session meanwhile: another host may have set it
 */
export function readRefreshCookie(deps: RouteDeps, request: FastifyRequest) {
  const read = (name: string) => {
    const text = wantsCookie(request) ? request.cookies[name] : undefined
    return { held: text !== undefined, stated: verifyRefreshToken(deps.keys.refresh, text ?? '') }
  }
  const plain = read(refreshName)
  if (!deps.settings.cookieSecure) return plain
  const host = read(onHost(refreshName))
  if (!host.held) return plain
  const isLater =
    plain.stated?.session === host.stated?.session && (plain.stated?.number ?? 0) > (host.stated?.number ?? 0)
  return isLater ? plain : host
}

// ── the device ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Of a device that has signed in, for the body of the answer; or for the browser to keep. */
export const deviceToken = (deps: RouteDeps, device: KnownDevice): string =>
  signDeviceToken(deps.keys.refresh, device, deps.chat.clock())

export function setDeviceCookie(deps: RouteDeps, reply: FastifyReply, device: KnownDevice): void {
  const { cookieSecure } = deps.settings
  const maxAge = Math.floor(deviceLifeMs / 1_000)
  const options = { ...(cookieSecure ? hostOptions : plainOptions(deps)), maxAge }
  reply.setCookie(cookieSecure ? onHost(deviceName) : deviceName, deviceToken(deps, device), options)
}

/** The device that asks, if somebody has signed in on it before. @param token from the body, where there is one */
export function deviceOf(deps: RouteDeps, request: FastifyRequest, token?: string): KnownDevice | undefined {
  const name = deps.settings.cookieSecure ? onHost(deviceName) : deviceName
  const cookie = wantsCookie(request) ? request.cookies[name] : undefined
  return verifyDeviceToken(deps.keys.refresh, token ?? cookie ?? '', deps.chat.clock())
}
