/** The page for those who are not signed in: one way in at a time, the others a step away. */
import { goTo, useNavigate, useSearch } from '../app/navigation.tsx'
import { useEffect, useMemo, useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { nextOf } from '../app/address.ts'
import { useValue } from '../app/value.ts'
import { account, enter, isSignedIn, loadClient } from '../session.ts'
import { Notice } from '../ui/notice.tsx'
import { CodeForm } from './code-form.tsx'
import { type Challenge, type Entrance, EntranceContext, type View, views } from './entrance.ts'
import { FactorForm } from './factor-form.tsx'
import { ReturnFromProvider } from './provider-buttons.tsx'
import { isBack } from './providers.ts'
import { ResetForm } from './reset-form.tsx'
import { Sails } from './sails.tsx'
import { SignInForm } from './sign-in-form.tsx'
import { SignUpForm } from './sign-up-form.tsx'

const forms = { in: SignInForm, up: SignUpForm, code: CodeForm, reset: ResetForm } as const

const titles = { in: 'signIn.title', up: 'signUp.title', code: 'code.title', reset: 'reset.title' } as const

export function SignInPage() {
  const { t } = useTranslation()
  const search = useSearch()
  const view = views.find(one => one === search.get('view')) ?? 'in'
  const next = nextOf(search.toString())
  const navigate = useNavigate()
  const [challenge, setChallenge] = useState<{ readonly of: Challenge; readonly next: string }>()
  const [returns, setReturns] = useState(isBack)
  const entrance = useMemo<Entrance>(
    () => ({
      next,
      finish({ user, ...rest }, then = next) {
        setReturns(false)
        if (user === undefined)
          return setChallenge({ of: (rest as { secondFactor: Challenge }).secondFactor, next: then })
        void enter(user).then(() => goTo(then, { replace: true }))
      },
      show(to: View) {
        setChallenge(undefined)
        setReturns(false)
        navigate({
          to: '/signin',
          search: { view: to === 'in' ? undefined : to, next: next === '/' ? undefined : next },
        })
      },
    }),
    [navigate, next],
  )
  // While the person types: neither waits for the other.
  useEffect(() => void loadClient().catch(() => {}), [])
  const FormOfView = forms[view]
  const title = challenge === undefined ? t(titles[view]) : t('factor.title')
  return (
    <EntranceContext value={entrance}>
      <main className="grid min-h-full content-start justify-items-center bg-sunk px-4 py-6 sm:content-center sm:py-12">
        <div className="grid w-full max-w-100 gap-6 rounded-large border border-line bg-raised p-5 sm:p-8">
          <header className="grid gap-3">
            <Sails />
            <h1 className="text-large font-semibold tracking-tight">{title}</h1>
          </header>
          {challenge === undefined && view === 'in' && <WhyOut />}
          {challenge !== undefined ? (
            <FactorForm challenge={challenge.of} onUser={user => entrance.finish({ user }, challenge.next)} />
          ) : returns ? (
            <ReturnFromProvider onFailed={() => setReturns(false)} />
          ) : (
            <FormOfView key={view} />
          )}
        </div>
      </main>
    </EntranceContext>
  )
}

/** Whoever was put out wonders why; whoever left wants to know that nothing stayed. */
function WhyOut() {
  const { t } = useTranslation()
  const one = useValue(account)
  if (isSignedIn(one) || one.why === 'none') return null
  if (one.why === 'account_suspended') return <Notice look="warning">{t('errors.account_suspended')}</Notice>
  return <Notice>{one.why === 'left' ? t('signIn.left') : t('signIn.ended')}</Notice>
}
