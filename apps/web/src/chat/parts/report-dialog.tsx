/** Tells the operators of a person, or of a message of theirs. */
import { limits, type ReportReason, reportReasons } from '@flotilla/protocol'
import { useState } from 'react'
import { useUser } from '@flotilla/react'
import { useTell } from '../../app/use-tell.ts'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Select } from '../../ui/select.tsx'
import { toast } from '../../ui/toast.tsx'
import { useChat } from '../hooks.ts'
import { Dialog } from '../../ui/dialog.tsx'

interface ReportProps {
  readonly user: string
  /** Missing where it is about the person. */
  readonly message?: { readonly conversation: string; readonly seq: number }
  onClose(): void
}

export function ReportDialog({ user, message, onClose }: ReportProps) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const name = useUser(user)?.displayName ?? '…'
  const [reason, setReason] = useState<ReportReason>('spam')
  const [comment, setComment] = useState('')
  const [isSending, setSending] = useState(false)
  const send = async () => {
    setSending(true)
    const words = comment.trim()
    const isDone = await tell(
      client.rest.reports.file({ user, reason, ...message, ...(words === '' ? {} : { comment: words }) }),
    )
    setSending(false)
    if (!isDone) return
    toast(t('late.report.done'))
    onClose()
  }
  return (
    <Dialog
      title={message === undefined ? t('late.report.title', { name }) : t('late.report.titleMessage')}
      onClose={onClose}
      foot={
        <>
          <Button look="secondary" onPress={onClose}>
            {t('app.cancel')}
          </Button>
          <Button look="danger-primary" isPending={isSending} onPress={() => void send()}>
            {t('late.report.send')}
          </Button>
        </>
      }
    >
      <div className="grid gap-4">
        <p className="text-soft">
          {t(message === undefined ? 'late.report.text' : 'late.report.textMessage', { name })}
        </p>
        <Select<ReportReason>
          label={t('late.report.reason')}
          value={reason}
          options={reportReasons.map(value => ({ value, text: t(`late.report.reasons.${value}`) }))}
          onChange={setReason}
        />
        <Field
          label={t('late.report.comment')}
          value={comment}
          maxLength={limits.reportCommentLengthMax}
          lines={3}
          onChange={setComment}
        />
      </div>
    </Dialog>
  )
}
