/** Colours for code: a tree from lowlight, made into React nodes. A chunk of its own. */
import bash from 'highlight.js/lib/languages/bash'
import c from 'highlight.js/lib/languages/c'
import cpp from 'highlight.js/lib/languages/cpp'
import csharp from 'highlight.js/lib/languages/csharp'
import css from 'highlight.js/lib/languages/css'
import diff from 'highlight.js/lib/languages/diff'
import go from 'highlight.js/lib/languages/go'
import java from 'highlight.js/lib/languages/java'
import javascript from 'highlight.js/lib/languages/javascript'
import json from 'highlight.js/lib/languages/json'
import kotlin from 'highlight.js/lib/languages/kotlin'
import markdown from 'highlight.js/lib/languages/markdown'
import php from 'highlight.js/lib/languages/php'
import python from 'highlight.js/lib/languages/python'
import ruby from 'highlight.js/lib/languages/ruby'
import rust from 'highlight.js/lib/languages/rust'
import sql from 'highlight.js/lib/languages/sql'
import swift from 'highlight.js/lib/languages/swift'
import typescript from 'highlight.js/lib/languages/typescript'
import xml from 'highlight.js/lib/languages/xml'
import yaml from 'highlight.js/lib/languages/yaml'
import { createLowlight } from 'lowlight'
import type { ReactNode } from 'react'

const lowlight = createLowlight({
  bash,
  c,
  cpp,
  csharp,
  css,
  diff,
  go,
  java,
  javascript,
  json,
  kotlin,
  markdown,
  php,
  python,
  ruby,
  rust,
  sql,
  swift,
  typescript,
  xml,
  yaml,
})

type Tree = ReturnType<typeof lowlight.highlight>['children'][number]

/** Of the many names of tokens few have a colour: the fewer colours, the calmer. */
const colours: readonly (readonly [names: RegExp, look: string])[] = [
  [/^hljs-(comment|quote|doctag)$/, 'text-soft italic'],
  [/^hljs-(keyword|built_in|type|meta|selector-tag|tag|name)$/, 'text-accent'],
  [/^hljs-(string|regexp|addition|char|symbol|template-variable)$/, 'text-success'],
  [/^hljs-(number|literal|variable|attr|attribute|property)$/, 'text-warning'],
  [/^hljs-deletion$/, 'text-danger'],
  [/^hljs-(title|section)/, 'font-semibold'],
]

/** @returns undefined for a language that has no colours here */
export function highlight(text: string, language: string): ReactNode {
  const name = language.toLowerCase()
  return lowlight.registered(name) ? draw(lowlight.highlight(name, text).children) : undefined
}

const draw = (nodes: readonly Tree[]): ReactNode =>
  nodes.map((node, nth) => {
    if (node.type === 'text') return node.value
    if (node.type !== 'element') return null
    const { className } = node.properties
    const names = Array.isArray(className) ? className.map(String) : []
    const look = colours.find(([wanted]) => names.some(one => wanted.test(one)))?.[1]
    return (
      <span key={nth} className={look}>
        {draw(node.children)}
      </span>
    )
  })
