/** How the page looks on this device. */
import { useTranslation } from '../text/translate.ts'
import { type Appearance, appearance, choose, contrasts, densities, themes } from '../app/appearance.ts'
import { useValue } from '../app/value.ts'
import { type Language, languages } from '../text/languages.ts'
import { Choice } from '../ui/choice.tsx'
import { Select } from '../ui/select.tsx'
import { Section } from './parts.tsx'

export function AppearancePart() {
  const { t } = useTranslation()
  const chosen = useValue(appearance)
  const set = (change: Partial<Appearance>) => void choose(change)
  return (
    <Section lead={t('appearance.lead')}>
      <Choice
        label={t('appearance.theme')}
        value={chosen.theme}
        options={themes.map(value => ({ value, text: t(`appearance.themes.${value}`) }))}
        onChange={theme => set({ theme })}
      />
      <Choice
        label={t('appearance.contrast')}
        value={chosen.contrast}
        options={contrasts.map(value => ({ value, text: t(`appearance.contrasts.${value}`) }))}
        onChange={contrast => set({ contrast })}
      />
      <Choice
        label={t('appearance.density')}
        value={chosen.density}
        options={densities.map(value => ({ value, text: t(`appearance.densities.${value}`) }))}
        onChange={density => set({ density })}
      />
      <Select<Language | 'system'>
        label={t('appearance.language')}
        value={chosen.language}
        options={[
          { value: 'system', text: t('appearance.browser') },
          ...(Object.entries(languages) as [Language, string][]).map(([value, text]) => ({ value, text })),
        ]}
        onChange={language => set({ language })}
      />
    </Section>
  )
}
