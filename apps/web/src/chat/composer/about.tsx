/** Above the field: what is answered or changed, and the way out of that. */
import { useTranslation } from '../../text/translate.ts'
import type { Mode } from '../conversation/mode.ts'
import { useUser } from '@flotilla/react'
import { previewOf } from '../message/quoted.tsx'
import { Icon } from '../../ui/icon.tsx'
import { IconButton } from '../../ui/icon-button.tsx'

export function About({ mode, onClose }: { readonly mode: Mode; onClose(): void }) {
  const { t } = useTranslation()
  if (mode.kind === 'post') return null
  const { message } = mode
  return (
    <div className="mb-1.5 flex items-center gap-2 ps-2">
      <Icon name={mode.kind === 'edit' ? 'edit' : 'reply'} isTurned={mode.kind === 'reply'} className="text-accent" />
      <div className="min-w-0 grow border-s-2 border-accent ps-2 text-small">
        <p className="font-medium text-accent">
          {mode.kind === 'edit' ? (
            t('chat.composer.editing')
          ) : message.own ? (
            t('chat.composer.replyingToYou')
          ) : (
            <To id={message.by} />
          )}
        </p>
        <span className="block truncate text-soft">
          <bdi>{previewOf(message.body)}</bdi>
        </span>
      </div>
      <IconButton icon="close" label={t('chat.composer.stop')} onPress={onClose} />
    </div>
  )
}

function To({ id }: { readonly id: string }) {
  const { t } = useTranslation()
  return t('chat.composer.replyingTo', { name: useUser(id)?.displayName ?? '…' })
}
