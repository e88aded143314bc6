/** Parts of the page that ask the server by themselves. What keeps the answers comes with them, and with nothing else. */
import type { ComponentType } from 'react'

export async function asking<Props extends object>(part: Promise<ComponentType<Props>>): Promise<ComponentType<Props>> {
  const [Part, { Answers }] = await Promise.all([part, import('./answers.tsx')])
  return function Asking(props) {
    return (
      <Answers>
        <Part {...props} />
      </Answers>
    )
  }
}
