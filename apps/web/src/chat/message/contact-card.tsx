/** How to reach somebody, as a sender has written it. */
import type { ContactBody } from '@flotilla/sdk'
import type { ReactNode } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { useConversationContext } from '../conversation/context.ts'
import { Avatar } from '../parts/avatar.tsx'

interface CardProps {
  readonly contact: ContactBody
  readonly isActive: boolean
  readonly meta: ReactNode
}

export function ContactCard({ contact, isActive, meta }: CardProps) {
  const { t } = useTranslation()
  const { openPerson } = useConversationContext()
  const { name, organization, phones = [], emails = [], user } = contact
  const link = 'block truncate text-small text-accent underline underline-offset-2'
  return (
    <div className="flow-root min-w-[min(14rem,100%)]">
      <div className="flex gap-3 py-1">
        <Avatar id={user ?? name} name={name} size={40} />
        <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-0.5">
          <bdi className="font-medium">{name}</bdi>
          {organization !== undefined && <bdi className="text-small text-soft">{organization}</bdi>}
          {phones.map(phone => (
            <a
              key={phone}
              dir="ltr"
              className={`${link} text-start`}
              tabIndex={isActive ? 0 : -1}
              href={`tel:${phone.replaceAll(/[^+\d]/g, '')}`}
            >
              {phone}
            </a>
          ))}
          {emails.map(email => (
            <a
              key={email}
              className={link}
              tabIndex={isActive ? 0 : -1}
              href={`mailto:${encodeURIComponent(email).replace('%40', '@')}`}
            >
              <bdi>{email}</bdi>
            </a>
          ))}
          {user !== undefined && (
            <button
              type="button"
              tabIndex={isActive ? 0 : -1}
              onClick={() => openPerson(user)}
              className="justify-self-start text-small font-medium text-accent"
            >
              {t('chat.message.openProfile')}
            </button>
          )}
        </div>
      </div>
      {meta}
    </div>
  )
}
