/** What a text says, as React nodes: never HTML. Mentions are pointed out, links show where they lead, spoilers wait. */
import { type Block, type Inline, parseMarkup, plainText } from '@flotilla/protocol/markup'
import { createContext, Fragment, memo, type ReactNode, use, useMemo, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { CodeBlock } from './code-block.tsx'

/** Who is called so, as far as the message mentions them. */
export type Named = (name: string) => 'me' | 'other' | undefined

const NamedContext = createContext<Named>(() => undefined)

interface MarkupProps {
  readonly text: string
  readonly named: Named
  /** Floats at the end of the last line, where there is room. */
  readonly tail?: ReactNode
  readonly isLarge?: boolean
}

export const Markup = memo(function Markup({ text, named, tail, isLarge = false }: MarkupProps) {
  const blocks = useMemo(() => parseMarkup(text), [text])
  const last = blocks.at(-1)
  const isInline = last?.type === 'paragraph'
  return (
    <NamedContext value={named}>
      <Blocks blocks={isInline ? blocks.slice(0, -1) : blocks} />
      {isInline ? (
        <p dir="auto" className={`flow-root whitespace-pre-wrap ${isLarge ? 'text-[2rem] leading-tight' : ''}`}>
          {inline(last.children)}
          {tail}
        </p>
      ) : (
        tail
      )}
    </NamedContext>
  )
})

const fewEmojiMax = 3
let fewEmoji: RegExp | undefined
/** Up to three emoji and nothing else are shown large. */
export function isFewEmoji(text: string): boolean {
  if (text.length > 64) return false
  try {
    fewEmoji ??= new RegExp(`^(?:\\p{RGI_Emoji}\\s*){1,${fewEmojiMax}}$`, 'v')
    return fewEmoji.test(text)
  } catch {
    // A browser from before 2023 shows them as text.
    return false
  }
}

function Blocks({ blocks }: { readonly blocks: readonly Block[] }) {
  return blocks.map((block, nth) => <OneBlock key={nth} block={block} />)
}

function OneBlock({ block }: { readonly block: Block }) {
  switch (block.type) {
    case 'code_block':
      return <CodeBlock text={block.text} {...(block.language === undefined ? {} : { language: block.language })} />
    case 'quote':
      return (
        <blockquote dir="auto" className="my-1 border-s-2 border-line-strong ps-2.5 text-soft">
          <Blocks blocks={block.children} />
        </blockquote>
      )
    case 'list':
      return (
        <ul className="my-0.5">
          {block.items.map((item, nth) => (
            <li key={nth} dir="auto" className="flex gap-2" style={{ paddingInlineStart: `${item.level * 1.25}rem` }}>
              <span className="min-w-4 shrink-0 text-end text-soft tabular-nums">
                {item.number === undefined ? '•' : `${item.number}.`}
              </span>
              <span className="min-w-0 whitespace-pre-wrap">{inline(item.children)}</span>
            </li>
          ))}
        </ul>
      )
    default:
      return (
        <p dir="auto" className="whitespace-pre-wrap">
          {inline(block.children)}
        </p>
      )
  }
}

const inline = (nodes: readonly Inline[]): ReactNode =>
  nodes.map((node, nth) => <Fragment key={nth}>{drawInline(node)}</Fragment>)

function drawInline(node: Inline): ReactNode {
  switch (node.type) {
    case 'text':
      return node.text
    case 'code':
      return (
        <code dir="ltr" className="rounded-small bg-sunk px-1 py-px font-mono text-[0.9em]">
          {node.text}
        </code>
      )
    case 'mention':
      return <Mention name={node.name} />
    case 'link':
      return <Link url={node.url}>{node.children}</Link>
    case 'bold':
      return <strong className="font-semibold">{inline(node.children)}</strong>
    case 'italic':
      return <em>{inline(node.children)}</em>
    case 'strike':
      return <s>{inline(node.children)}</s>
    default:
      return <Spoiler>{node.children}</Spoiler>
  }
}

function Mention({ name }: { readonly name: string }) {
  const who = use(NamedContext)(name)
  if (who === undefined) return `@${name}`
  const look = who === 'me' ? 'bg-warning-soft text-ink font-semibold' : 'bg-accent-soft text-accent'
  return (
    <bdi className={`rounded-small px-0.5 font-medium ${look}`} data-mention={who}>
      @{name}
    </bdi>
  )
}

/** What the words do not say of the target is written behind them. */
function Link({ url, children }: { readonly url: string; readonly children: readonly Inline[] }) {
  const target = shownTarget(url)
  const isPlain = plainText([{ type: 'paragraph', children }]) === url
  return (
    <>
      <a
        href={url}
        rel="noopener noreferrer"
        target="_blank"
        title={target}
        className="text-accent underline decoration-1 underline-offset-2 hover:text-accent-hover"
      >
        {inline(children)}
      </a>
      {!isPlain && <bdi className="text-small text-soft"> ({target})</bdi>}
    </>
  )
}

/** The host as the network knows it, so that letters that look alike do not deceive. */
function shownTarget(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return host === '' ? pathname : host
  } catch {
    return url
  }
}

function Spoiler({ children }: { readonly children: readonly Inline[] }) {
  const { t } = useTranslation()
  const [isShown, setShown] = useState(false)
  if (isShown) return <span className="rounded-small bg-sunk">{inline(children)}</span>
  const show = () => setShown(true)
  return (
    <span
      role="button"
      tabIndex={0}
      aria-label={t('chat.message.spoiler')}
      onClick={show}
      onKeyDown={event => {
        if (event.key !== 'Enter' && event.key !== ' ') return
        event.preventDefault()
        event.stopPropagation()
        show()
      }}
      className="rounded-small bg-line-strong"
    >
      <span inert className="opacity-0">
        {inline(children)}
      </span>
    </span>
  )
}
