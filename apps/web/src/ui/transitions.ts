/**
 * For what takes the focus by React Aria: into what a key or a screen reader has opened it moves the focus once no transition
 * runs. It hears of transitions that end, but of those that are cancelled only the first property on an element: two cancelled
 * together, as when a button becomes inert under the pointer, run for ever to it, and no menu or dialog takes the focus any more.
 * So what is cancelled is told as if it had ended; nothing else on the page listens to either.
 */
document.addEventListener('transitioncancel', ({ target, propertyName }) =>
  target?.dispatchEvent(new TransitionEvent('transitionend', { propertyName, bubbles: true })),
)
