/** The picture of a person or a group, and whether they are there. */
import { memo } from 'react'
import { Avatar as Picture } from '../../ui/avatar.tsx'

interface AvatarProps {
  /** What the colour comes from, where there is no picture. */
  readonly id: string
  readonly name: string
  readonly picture?: string | null
  /** In pixels of CSS. */
  readonly size?: number
  readonly isOnline?: boolean
}

export const Avatar = memo(function Avatar({ id, name, picture, size = 40, isOnline = false }: AvatarProps) {
  return (
    <span aria-hidden="true" className="relative shrink-0" style={{ width: size, height: size }}>
      <Picture id={id} name={name} avatar={picture} size={size} />
      {isOnline && (
        <span className="absolute -end-px -bottom-px size-3 rounded-full border-2 border-canvas bg-success" />
      )}
    </span>
  )
})
