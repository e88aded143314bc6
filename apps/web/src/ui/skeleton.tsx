/** Grey lines where something is about to stand, as high as what comes; after a moment, so that what is quick does not flash. */
export function Skeleton({ lines = 3, label }: { readonly lines?: number; readonly label: string }) {
  return (
    <div role="status" aria-label={label} className="late grid gap-3">
      {Array.from({ length: lines }, (_, at) => (
        // oxlint-disable-next-line react/no-array-index-key -- they are all alike and never move
        <div key={at} className="flex h-12 items-center gap-3">
          <div className="size-10 shrink-0 rounded-full bg-hover" />
          <div className="grid flex-1 gap-2">
            <div className="h-3 w-2/5 rounded-small bg-hover" />
            <div className="h-3 w-3/5 rounded-small bg-hover" />
          </div>
        </div>
      ))}
    </div>
  )
}
