/** Asks for a name: that is all an account needs. */
import { useState } from 'react'

export function Entrance({ onName, reason }: { onName(name: string): Promise<void>; reason: string | undefined }) {
  const [failure, setFailure] = useState(reason)
  const [name, setName] = useState('')
  const submit = () => onName(name.trim()).catch((error: Error) => setFailure(error.message))
  return (
    <form className="entrance" action={submit}>
      <label>
        Your name
        <input
          value={name}
          onChange={({ target }) => setName(target.value)}
          required
          maxLength={64}
          autoComplete="name"
        />
      </label>
      <button type="submit">Enter</button>
      {failure !== undefined && <p role="alert">{failure}</p>}
    </form>
  )
}
