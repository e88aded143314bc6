/** The API as an attacker calls it: any method, any body, from any address. */

export interface Answer {
  readonly status: number
  /** The JSON, or the text where it is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- attacks look into answers of every shape
  readonly body: any
  readonly headers: Headers
  readonly bytes: number
}

export interface CallOptions {
  readonly token?: string
  readonly body?: unknown
  /** As it is, instead of `body`. */
  readonly raw?: string
  readonly headers?: Readonly<Record<string, string>>
  /** The address of the network that the call comes from: the API trusts this machine as its proxy. */
  readonly from?: string
}

export type Call = (request: string, options?: CallOptions) => Promise<Answer>

const answerMsMax = 60_000

/** @param api its URL. @returns `call('GET /v1/me', {token})` */
export const createCall =
  (api: string): Call =>
  async (request, { token, body, raw, headers, from } = {}) => {
    const [method = '', path = ''] = request.split(' ')
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(api + path, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(answerMsMax),
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(from === undefined ? {} : { 'x-forwarded-for': from }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true && text !== ''
    return {
      status: response.status,
      body: isJson ? JSON.parse(text) : text,
      headers: response.headers,
      bytes: Buffer.byteLength(text),
    }
  }

/** How many answers had which status: `{200: 3, 429: 17}`. */
export function statuses(answers: readonly Pick<Answer, 'status'>[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

export const serverErrors = (answers: readonly Answer[]) => answers.filter(({ status }) => status >= 500)
