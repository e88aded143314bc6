/** Who is in a group, and what one may do with them. Of a large group they are listed page by page. */
import { mutedForEver, type User } from '@flotilla/sdk'
import type { ConversationView } from '@flotilla/sdk/state'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { may, outranks } from '../access.ts'
import { useTell } from '../../app/use-tell.ts'
import { usePresence, useUser } from '@flotilla/react'
import { useChat, useIsPast } from '../hooks.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { choices, Menu } from '../parts/menu.tsx'
import { Section } from '../parts/panel.tsx'
import { AddMembers } from './add-members.tsx'
import { useReadAgain } from './use-read-again.ts'

type Role = ConversationView['role']
interface OneMember {
  readonly user: User
  readonly role: Role
  readonly silencedUntil?: number
}

const rank: Readonly<Record<Role, number>> = { owner: 0, admin: 1, member: 2 }

export function Members({ view, openPerson }: { readonly view: ConversationView; openPerson(user: string): void }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const [isAdding, setAdding] = useState(false)
  // What is told with the conversation is live; the list knows who is silenced.
  const queryKey = ['members', view.id]
  useReadAgain(view.id, queryKey)
  const { data, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => client.rest.members(view.id, pageParam === '' ? {} : { after: pageParam }),
    initialPageParam: '',
    getNextPageParam: page => page.next,
    staleTime: 0,
  })
  const members = useMemo(() => {
    const all: readonly OneMember[] = data?.pages.flatMap(page => page.members) ?? view.members ?? []
    return [...all].sort((one, other) => rank[one.role] - rank[other.role])
  }, [data, view.members])
  return (
    <Section
      title={t('late.group.members')}
      end={
        may(view, 'addMembers') && (
          <IconButton size="small" icon="add" label={t('late.group.add')} onPress={() => setAdding(true)} />
        )
      }
    >
      <ul className="-mx-2">
        {members.map(member => (
          <MemberLine key={member.user.id} member={member} view={view} openPerson={openPerson} />
        ))}
      </ul>
      {hasNextPage && (
        <Button look="quiet" wide onPress={() => void fetchNextPage()}>
          {t('late.group.moreMembers')}
        </Button>
      )}
      {isAdding && <AddMembers view={view} onClose={() => setAdding(false)} />}
    </Section>
  )
}

interface LineProps {
  readonly member: OneMember
  readonly view: ConversationView
  openPerson(user: string): void
}

function MemberLine({ member, view, openPerson }: LineProps) {
  const { t } = useTranslation()
  const { user: me } = useChat()
  const known = useUser(member.user.id)
  const isOnline = usePresence(member.user.id) === true
  const user = known ?? member.user
  const isSilenced = !useIsPast(member.silencedUntil ?? 0)
  return (
    <li className="flex items-center">
      <button
        type="button"
        onClick={() => openPerson(user.id)}
        className="flex min-h-12 min-w-0 grow items-center gap-3 rounded-medium px-2 text-start hover:bg-hover"
      >
        <Avatar id={user.id} name={user.displayName} picture={user.avatar} size={36} isOnline={isOnline} />
        <span className="grid min-w-0 grow grid-cols-[minmax(0,1fr)]">
          <span className="truncate leading-tight">
            <bdi>{user.id === me.id ? t('late.group.you', { name: user.displayName }) : user.displayName}</bdi>
          </span>
          <span className="truncate text-tiny text-soft">
            <bdi>@{user.username}</bdi>
          </span>
        </span>
        <span className="shrink-0 text-tiny text-soft">
          {isSilenced ? t('late.group.silenced') : member.role === 'member' ? '' : t(`chat.group.roles.${member.role}`)}
        </span>
      </button>
      {user.id !== me.id && <MemberMenu member={member} view={view} isSilenced={isSilenced} />}
    </li>
  )
}

function MemberMenu({
  member,
  view,
  isSilenced,
}: {
  readonly member: OneMember
  readonly view: ConversationView
  readonly isSilenced: boolean
}) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const [asked, setAsked] = useState<'remove' | 'ban' | 'handOn'>()
  const { user, role } = member
  const { id } = view
  const isOwner = view.role === 'owner'
  const mayRule = outranks(view.role, role)
  const all = choices(
    isOwner &&
      role === 'member' && {
        id: 'admin',
        icon: 'star',
        label: t('late.group.makeAdmin'),
        act: () => void tell(client.rest.changeRole(id, user.id, 'admin')),
      },
    isOwner &&
      role !== 'member' && {
        id: 'member',
        icon: 'person',
        label: t('late.group.makeMember'),
        act: () => void tell(client.rest.changeRole(id, user.id, 'member')),
      },
    isOwner &&
      role !== 'owner' && { id: 'owner', icon: 'lock', label: t('late.group.handOn'), act: () => setAsked('handOn') },
    mayRule && {
      id: 'silence',
      icon: isSilenced ? 'bell' : 'bellOff',
      label: t(isSilenced ? 'late.group.unsilence' : 'late.group.silence'),
      act: () => void tell(client.rest.groups.silence(id, user.id, isSilenced ? null : mutedForEver)),
    },
    (mayRule || isOwner) && {
      id: 'remove',
      icon: 'leave',
      label: t('late.group.remove'),
      isDanger: true,
      startsGroup: true,
      act: () => setAsked('remove'),
    },
    mayRule && { id: 'ban', icon: 'lock', label: t('late.group.ban'), isDanger: true, act: () => setAsked('ban') },
  )
  if (all.length === 0) return null
  const acts = {
    remove: () => client.rest.removeMember(id, user.id),
    ban: () => client.rest.groups.ban(id, user.id),
    handOn: () => client.rest.groups.handOn(id, user.id),
  }
  return (
    <>
      <Menu label={t('late.group.actionsFor', { name: user.displayName })} choices={all}>
        <IconButton size="small" icon="more" label={t('late.group.actionsFor', { name: user.displayName })} />
      </Menu>
      {asked !== undefined && (
        <Confirm
          title={t(`late.group.ask.${asked}`, { name: user.displayName })}
          text={t(`late.group.askText.${asked}`)}
          action={t(`late.group.${asked}`)}
          onClose={() => setAsked(undefined)}
          onConfirm={() => void tell(acts[asked]())}
        />
      )}
    </>
  )
}
