/** Signing out: what goes with it, and a warning for those who would never get in again. */
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from '../text/translate.ts'
import { textOf } from '../app/words.ts'
import { signOut } from '../session.ts'
import { Button } from '../ui/button.tsx'
import { Actions, Dialog, Stack } from '../ui/dialog.tsx'
import { Notice } from '../ui/notice.tsx'
import { useFactors, useIdentities } from './queries.ts'

export function SignOutDialog({ onClose }: { onClose(): void }) {
  const { t } = useTranslation()
  return (
    <Dialog title={t('signOut.title')} onClose={onClose} isAlert>
      <Stack>
        <Asked onClose={onClose} />
      </Stack>
    </Dialog>
  )
}

function Asked({ onClose }: { onClose(): void }) {
  const { t } = useTranslation()
  const factors = useFactors()
  const identities = useIdentities()
  const leave = useMutation({ mutationFn: signOut })
  const { password = true, email = true, passkeys = 0 } = factors.data ?? {}
  const isLost = !password && !email && passkeys === 0 && identities.data?.identities.length === 0
  return (
    <>
      <p>{t('signOut.text')}</p>
      {isLost && <Notice look="warning">{t('signOut.lost')}</Notice>}
      {leave.isError && <Notice look="danger">{textOf(t, leave.error)}</Notice>}
      <Actions>
        <Button look="secondary" onPress={onClose} autoFocus>
          {t('app.cancel')}
        </Button>
        <Button look={isLost ? 'danger-primary' : 'primary'} isPending={leave.isPending} onPress={() => leave.mutate()}>
          {t('signOut.title')}
        </Button>
      </Actions>
    </>
  )
}
