/** The icons, drawn on a square of 24 with lines of 1.75. They say nothing by themselves: what they stand in has a name. */
import type { ReactNode } from 'react'

function icon(content: ReactNode) {
  return function Icon({ size = 20 }: { readonly size?: number }) {
    return (
      <svg
        aria-hidden="true"
        width={size}
        height={size}
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.75"
        strokeLinecap="round"
        strokeLinejoin="round"
        className="shrink-0"
      >
        {content}
      </svg>
    )
  }
}

export const BackIcon = icon(<path className="origin-center rtl:-scale-x-100" d="M15 5l-7 7 7 7" />)
export const BellIcon = icon(<path d="M6 16V11a6 6 0 0112 0v5l1.5 2h-15zM10 21h4" />)
export const BlockIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M6 18L18 6" />
  </>,
)
export const DeviceIcon = icon(
  <>
    <rect x="3.5" y="5" width="17" height="11" rx="1.5" />
    <path d="M2 19.5h20" />
  </>,
)
export const EyeIcon = icon(
  <>
    <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" />
    <circle cx="12" cy="12" r="2.75" />
  </>,
)
export const KeyIcon = icon(
  <>
    <circle cx="8" cy="15" r="4" />
    <path d="M11 12l8.5-8.5M16 7l3 3" />
  </>,
)
export const LeaveIcon = icon(
  <path className="origin-center rtl:-scale-x-100" d="M14 4H6v16h8M11 12h10M17.5 8.5L21 12l-3.5 3.5" />,
)
export const LockIcon = icon(
  <>
    <rect x="5" y="10.5" width="14" height="9.5" rx="2" />
    <path d="M8 10.5V8a4 4 0 018 0v2.5" />
  </>,
)
export const MailIcon = icon(
  <>
    <rect x="3" y="5.5" width="18" height="13" rx="2" />
    <path d="M3.5 7.5L12 13l8.5-5.5" />
  </>,
)
export const PaletteIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 3.5v17M12 8h7.5M12 12h8.5M12 16h7.5" />
  </>,
)
export const PersonIcon = icon(
  <>
    <circle cx="12" cy="8" r="4" />
    <path d="M4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6" />
  </>,
)
export const ArchiveIcon = icon(<path d="M4 8v11.5h16V8M2.5 4h19v4h-19zM9.5 12h5" />)
