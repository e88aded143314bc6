/** A person's picture, or the first letters of their name on a colour that is always the same for them. */
import { avatarUrl } from '@flotilla/sdk'
import { useState } from 'react'
import { api } from '../session.ts'

const hues = ['#0b6a83', '#7a4a9c', '#a23d5c', '#8a5300', '#1c6e3d', '#3f5aa8', '#6d5a13', '#9a3f1d'] as const

export interface AvatarProps {
  readonly id: string
  readonly name: string
  readonly avatar: string | null | undefined
  readonly size?: number
}

/** It says nothing that the name beside it does not say. */
export function Avatar({ id, name, avatar, size = 40 }: AvatarProps) {
  const [failed, setFailed] = useState<string>()
  const src = avatarUrl(api, avatar ?? null, size > 64 ? 256 : 64)
  const shape = 'inline-grid shrink-0 select-none place-content-center overflow-hidden rounded-full'
  if (src !== undefined && src !== failed)
    return (
      <img
        src={src}
        alt=""
        width={size}
        height={size}
        onError={() => setFailed(src)}
        className={`${shape} bg-sunk object-cover`}
        style={{ width: size, height: size }}
      />
    )
  return (
    <span
      aria-hidden="true"
      className={`${shape} font-semibold text-[#fff]`}
      style={{ width: size, height: size, fontSize: Math.round(size * 0.4), background: hueOf(id) }}
    >
      {lettersOf(name)}
    </span>
  )
}

const hueOf = (id: string) =>
  hues[Array.from(id).reduce((sum, sign) => (sum * 31 + sign.charCodeAt(0)) % 9973, 7) % hues.length]

/** As people see letters: an accent or a joiner belongs to the one before. */
function lettersOf(name: string): string {
  const words = name.trim().split(/\s+/)
  const first = (word: string) => [...new Intl.Segmenter().segment(word)][0]?.segment ?? ''
  const [one = '', ...others] = words
  return (first(one) + (others.length > 0 ? first(others.at(-1) ?? '') : '')).toLocaleUpperCase()
}
