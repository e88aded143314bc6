/** Lines of code. Their colours come later, from a chunk of its own: the text stands as it is from the first frame on. */
import { type ReactNode, useEffect, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Icon } from '../../ui/icon.tsx'
import { Press } from '../../ui/press.tsx'

interface CodeBlockProps {
  readonly text: string
  readonly language?: string
}

/** Longer code would be coloured for longer than a frame lasts. */
const colouredLengthMax = 20_000

export function CodeBlock({ text, language }: CodeBlockProps) {
  const { t } = useTranslation()
  const coloured = useColours(text, language)
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return undefined
    const timer = setTimeout(() => setCopied(false), 1_500)
    return () => clearTimeout(timer)
  }, [isCopied])
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true))
  return (
    <div dir="ltr" className="group/code relative my-1 rounded-small border border-line bg-sunk text-start">
      {/* A long line is scrolled to by keys as well. */}
      <pre tabIndex={-1} className="overflow-x-auto p-2.5 font-mono text-small leading-normal">
        <code>{coloured ?? text}</code>
      </pre>
      <Press
        aria-label={isCopied ? t('chat.message.copied') : t('chat.message.copyCode')}
        tabIndex={-1}
        onPress={copy}
        className="absolute end-1 top-1 grid size-7 place-items-center rounded-small border border-line bg-raised text-soft opacity-0 hover:text-ink focus-visible:opacity-100 group-hover/code:opacity-100"
      >
        <Icon name={isCopied ? 'check' : 'copy'} size={16} />
      </Press>
    </div>
  )
}

function useColours(text: string, language: string | undefined): ReactNode {
  const [coloured, setColoured] = useState<ReactNode>()
  useEffect(() => {
    if (language === undefined || text.length > colouredLengthMax) return undefined
    let isWanted = true
    void import('./highlight.tsx')
      .then(({ highlight }) => isWanted && setColoured(highlight(text, language)))
      // Without its colours it is code all the same.
      .catch(() => {})
    return () => {
      isWanted = false
    }
  }, [text, language])
  return coloured
}
