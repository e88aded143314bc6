/**
 * The style, as a sheet that is made by a script: no policy of a page forbids it. All sides are logical ones, so that the
 * widget follows the direction of the page. What moves does so only for those who have not asked for less.
 */
const css = `
:host {
  all: initial;
  color-scheme: inherit;
  position: fixed;
  inset-block-end: 1rem;
  inset-inline-end: 1rem;
  z-index: 2147483000;
  font: 1rem / 1.4 system-ui, sans-serif;
  --accent: var(--chat-accent, #1d4ed8);
  --on-accent: var(--chat-on-accent, #fff);
  --ground: light-dark(#fff, #1c1c1f);
  --raised: light-dark(#eef0f3, #2c2c31);
  --text: light-dark(#18181b, #f4f4f5);
  --faint: light-dark(#52525b, #b4b4bd);
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
button, input, textarea { font: inherit; color: inherit; }
:placeholder-shown { direction: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--text); outline-offset: 2px; }
.bubble {
  position: relative;
  display: block;
  margin-inline-start: auto;
  inline-size: 3.5rem;
  block-size: 3.5rem;
  padding: 0.9rem;
  border: 2px solid transparent;
  border-radius: 50%;
  color: var(--on-accent);
  background: var(--accent);
  box-shadow: 0 2px 12px #0006;
}
.bubble svg { display: block; inline-size: 100%; block-size: 100%; fill: currentcolor; }
.badge {
  position: absolute;
  inset-block-start: -0.25rem;
  inset-inline-end: -0.25rem;
  min-inline-size: 1.5rem;
  padding-inline: 0.35rem;
  border-radius: 0.75rem;
  font-size: 0.875rem;
  line-height: 1.5rem;
  color: #fff;
  background: #b91c1c;
}
.panel {
  display: flex;
  flex-direction: column;
  inline-size: min(22rem, 100vw - 2rem);
  block-size: min(30rem, 100dvb - 7rem);
  margin-block-end: 0.75rem;
  border: 1px solid var(--faint);
  border-radius: 0.75rem;
  overflow: hidden;
  color: var(--text);
  background: var(--ground);
  box-shadow: 0 4px 24px #0006;
}
.head {
  display: flex;
  align-items: center;
  justify-content: space-between;
  padding: 0.5rem 1rem;
  color: var(--on-accent);
  background: var(--accent);
}
.head :focus-visible { outline-color: currentcolor; }
h2 { margin: 0; font-size: 1.125rem; }
.head button { min-inline-size: 2.25rem; min-block-size: 2.25rem; border: 0; background: none; font-size: 1.25rem; }
.content { display: flex; flex: 1; flex-direction: column; min-block-size: 0; }
.log { flex: 1; padding: 1rem; overflow-y: auto; overscroll-behavior: contain; }
ol { display: flex; flex-direction: column; gap: 0.5rem; margin: 0; padding: 0; list-style: none; }
li {
  align-self: flex-start;
  max-inline-size: 85%;
  padding: 0.5rem 0.75rem;
  border-radius: 0.75rem;
  background: var(--raised);
}
li.own { align-self: flex-end; color: var(--on-accent); background: var(--accent); }
li.sending { opacity: 0.7; }
.text { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.text.faint { font-style: italic; }
.away { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.note { min-block-size: 1.5rem; margin: 0; padding-inline: 1rem; font-size: 0.875rem; color: var(--faint); }
form { display: flex; gap: 0.5rem; padding: 0.75rem 1rem 1rem; }
form.name { flex-direction: column; margin-block: auto; }
form.name label { display: grid; gap: 0.25rem; }
input, textarea {
  flex: 1;
  min-inline-size: 0;
  padding: 0.5rem;
  border: 1px solid var(--faint);
  border-radius: 0.5rem;
  color: var(--text);
  background: var(--ground);
  resize: none;
}
.do { padding: 0.5rem 0.75rem; border: 1px solid transparent; border-radius: 0.5rem; color: var(--on-accent); background: var(--accent); }
.more { inline-size: 100%; margin-block-end: 0.5rem; padding: 0.25rem; border: 0; color: var(--faint); background: none; text-decoration: underline; }
.again { border: 0; padding: 0; background: none; text-decoration: underline; }
@media (prefers-reduced-motion: no-preference) {
  .panel { animation: rise 150ms ease-out; }
  @keyframes rise { from { opacity: 0; translate: 0 0.5rem; } }
}
`

export function styleSheet(): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  return sheet
}
