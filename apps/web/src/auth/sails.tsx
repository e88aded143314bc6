/** The mark of the house. */
export function Sails() {
  return (
    <svg aria-hidden="true" viewBox="0 0 64 64" width="40" height="40" fill="currentColor" className="text-accent">
      <path d="M8 46 20 20v26z" opacity=".45" />
      <path d="M20 46 36 12v34z" opacity=".7" />
      <path d="M38 46V6c12 12 18 26 18 40z" />
      <path d="M4 51h56c-3 6-8 8-14 8H18c-6 0-11-2-14-8z" />
    </svg>
  )
}
