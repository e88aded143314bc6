/** The entry: looks and language first, then who is signed in, then the page. */
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { applyAppearance } from './app/appearance.ts'
import { place, preload } from './app/navigation.tsx'
import { restore } from './session.ts'
import './style/tokens.css'

/** The page that is about to be shown is loaded together with what runs behind it. */
function loadPage(): void {
  const { pattern } = place.get()
  if (pattern !== undefined) void preload.get()(pattern)
}

await Promise.all([applyAppearance(), restore(loadPage)])
createRoot(document.getElementById('app')!).render(<App />)
