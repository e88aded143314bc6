/** All keys, as the keymap has them. */
import { useTranslation } from '../text/translate.ts'
import { isMac } from './hooks.ts'
import { keymap, shownKeys } from './keymap.ts'
import { Dialog } from '../ui/dialog.tsx'

const sections = ['page', 'list', 'timeline', 'composer'] as const

export function KeysSheet({ onClose }: { onClose(): void }) {
  const { t } = useTranslation()
  return (
    <Dialog title={t('chat.keys.title')} isWide onClose={onClose}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it may be longer than the page, and only keys may be there to scroll it */}
      <div tabIndex={0} className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
        {sections.map(section => (
          <section key={section}>
            <h3 className="mb-1 text-small font-semibold text-soft">{t(`late.keys.section.${section}`)}</h3>
            <dl>
              {keymap
                .filter(shortcut => shortcut.section === section)
                .map(({ id, keys }) => (
                  <div key={id} className="flex min-h-8 items-center justify-between gap-4">
                    <dt>{t(`late.keys.${id}`)}</dt>
                    <dd dir="ltr" className="flex shrink-0 gap-1">
                      {shownKeys(keys[0]!, isMac).map(key => (
                        <kbd
                          key={key}
                          className="min-w-6 rounded-small border border-line-strong bg-sunk px-1.5 text-center font-sans text-tiny leading-5"
                        >
                          {key}
                        </kbd>
                      ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
