/** A burst of sign-ins by name and password: all at the same moment, and again when they are told to come back. */
import { Histogram } from '@flotilla/testing/load'

export interface SignInsPlan {
  /** Of the API. */
  readonly url: string
  /** `user-<n>` from the first on. */
  readonly first: number
  readonly people: number
  readonly password: string
}

export interface SignInCounts {
  /** Until the last was in. */
  readonly seconds: number
  /** From the first attempt of each to its end, in a histogram of milliseconds. */
  readonly inMs: string
  readonly attempts: number
  /** Answers that are neither a session nor an invitation to come back, with the first of them. */
  readonly wrong: number
  readonly example: string
}

const retryMsMin = 200
const attemptsMax = 2_000

export class SignIns {
  private readonly plan: SignInsPlan
  private attempts = 0
  private wrong = 0
  private example = ''

  constructor(plan: SignInsPlan) {
    this.plan = plan
  }

  async burst(): Promise<SignInCounts> {
    const began = performance.now()
    const inMs = new Histogram()
    await Promise.all(
      Array.from({ length: this.plan.people }, async (_, nth) => {
        await this.signIn(this.plan.first + nth)
        inMs.record(performance.now() - began)
      }),
    )
    const { attempts, wrong, example } = this
    return { seconds: (performance.now() - began) / 1_000, inMs: inMs.encoded(), attempts, wrong, example }
  }

  private async signIn(number: number): Promise<void> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      this.attempts++
      const answer = await this.ask(number)
      if (answer.status === 201) return
      if (answer.status !== 503) {
        this.wrong++
        this.example ||= `${answer.status} ${answer.text}`
        return
      }
      // As the SDK does: what the server says, and a random part, so that they do not come back all at once.
      await new Promise(resolve => setTimeout(resolve, answer.retryMs * (1 + Math.random())))
    }
    this.wrong++
    this.example ||= `told to come back ${attemptsMax} times`
  }

  private async ask(number: number): Promise<{ status: number; text: string; retryMs: number }> {
    try {
      const response = await fetch(`${this.plan.url}/v1/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: `user-${number}`, password: this.plan.password }),
      })
      const text = await response.text()
      const retryMs = Math.max(retryMsMin, Number(response.headers.get('retry-after') ?? 0) * 1_000)
      return { status: response.status, text, retryMs }
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined
      return { status: 0, text: String(cause ?? error), retryMs: retryMsMin }
    }
  }
}
