/** How a mail looks: the same words as text and as HTML. Pictures, links and scripts are in neither. */

/** What a mail says, in the order of reading. */
export interface MailWords {
  readonly subject: string
  readonly greeting?: string
  /** Before what matters. */
  readonly lead: string
  /** What matters, set apart. */
  readonly mark?: string
  /** Facts, as name and value. */
  readonly facts?: readonly (readonly [name: string, value: string])[]
  readonly after: readonly string[]
}

export interface RenderedMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Names and programs of strangers stand in mails: what could break a line or forge another is taken out. */
const oneLine = (text: string) => text.replaceAll(/\p{Cc}+/gu, ' ').trim()

const escapeHtml = (text: string) => text.replaceAll(/[&<>"']/g, character => `&#${character.codePointAt(0)};`)

/** @param name of the deployment */
export function toPage(words: MailWords, name: string): RenderedMail {
  const { lead, after } = words
  const greeting = words.greeting === undefined ? undefined : oneLine(words.greeting)
  const facts = (words.facts ?? []).map(([label, value]) => [label, oneLine(value)] as const)
  const text = [
    ...(greeting === undefined ? [] : [greeting]),
    lead,
    ...(words.mark === undefined ? [] : [`    ${words.mark}`]),
    ...(facts.length === 0 ? [] : [facts.map(([label, value]) => `${label}: ${value}`).join('\n')]),
    ...after,
    `-- \n${name}`,
  ].join('\n\n')
  const paragraph = (content: string) => `<p style="margin:0 0 16px">${escapeHtml(content)}</p>`
  const rows = facts.map(
    ([label, value]) =>
      `<tr><td style="padding:2px 16px 2px 0;color:#555">${escapeHtml(label)}</td><td>${escapeHtml(value)}</td></tr>`,
  )
  const html = [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(oneLine(words.subject))}</title></head>`,
    '<body style="margin:0;padding:24px;font:16px/1.5 sans-serif;color:#111;background:#fff">',
    ...(greeting === undefined ? [] : [paragraph(greeting)]),
    paragraph(lead),
    ...(words.mark === undefined
      ? []
      : [`<p style="margin:0 0 16px;font:bold 28px monospace;letter-spacing:4px">${escapeHtml(words.mark)}</p>`]),
    ...(rows.length === 0 ? [] : [`<table style="margin:0 0 16px;border-spacing:0">${rows.join('')}</table>`]),
    ...after.map(paragraph),
    `<p style="margin:24px 0 0;color:#555">${escapeHtml(name)}</p></body></html>`,
  ].join('\n')
  return { subject: oneLine(words.subject), text: `${text}\n`, html }
}
