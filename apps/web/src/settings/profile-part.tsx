/** How others see the person: picture, name, a few words. */
import { limits, type Me } from '@flotilla/protocol'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { FileButton } from '../ui/file-button.tsx'
import { Form } from '../ui/form.tsx'
import { pictureTypes } from '../ui/crop.ts'
import { Loaded, Section } from './parts.tsx'
import { rest, useChange, useMe } from './queries.ts'

const CropDialog = lazy(async () => ({ default: (await import('../ui/crop-dialog.tsx')).CropDialog }))

export function ProfilePart() {
  const me = useMe()
  return (
    <Loaded query={me}>
      {data => (
        <>
          <Picture me={data} />
          <Words key={`${data.displayName} ${data.about}`} me={data} />
        </>
      )}
    </Loaded>
  )
}

function Picture({ me }: { readonly me: Me }) {
  const { t } = useTranslation()
  const [chosen, setChosen] = useState<File>()
  const change = useChange({
    run: (picture: Blob) => rest().profile.setAvatar(picture),
    touches: [['me']],
    said: t('app.saved'),
  })
  // What it is refused with is told by the change itself.
  const save = (picture: Blob) =>
    change.mutateAsync(picture).then(
      () => true,
      () => false,
    )
  const remove = useChange({ run: () => rest().profile.removeAvatar(), touches: [['me']], said: t('profile.removed') })
  return (
    <Section>
      <div className="flex flex-wrap items-center gap-4">
        <Avatar id={me.id} name={me.displayName} avatar={me.avatar} size={80} />
        <div className="grid min-w-0 gap-2">
          <p className="truncate text-title font-semibold" dir="auto">
            {me.displayName}
          </p>
          <div className="flex flex-wrap gap-2">
            <FileButton look="secondary" types={pictureTypes} onChoose={setChosen}>
              {t('profile.choose')}
            </FileButton>
            {me.avatar !== null && (
              <Button look="quiet" isPending={remove.isPending} onPress={() => remove.mutate()}>
                {t('profile.remove')}
              </Button>
            )}
          </div>
        </div>
      </div>
      <Suspense fallback={null}>
        {chosen !== undefined && (
          <CropDialog title={t('crop.title')} file={chosen} save={save} onClose={() => setChosen(undefined)} />
        )}
      </Suspense>
    </Section>
  )
}

function Words({ me }: { readonly me: Me }) {
  const { t } = useTranslation()
  const change = useChange({
    run: (words: { displayName: string; about: string }) => rest().profile.change(words),
    touches: [['me']],
    said: t('app.saved'),
    isForm: true,
  })
  return (
    <Section>
      <Form
        error={change.error}
        fields={['displayName', 'about']}
        onSubmit={({ displayName = '', about = '' }) => change.mutate({ displayName: displayName.trim(), about })}
      >
        <Field
          name="displayName"
          label={t('profile.displayName')}
          defaultValue={me.displayName}
          maxLength={limits.nameLengthMax}
          autoComplete="name"
          isRequired
        />
        <Field
          name="about"
          label={t('profile.about')}
          hint={t('profile.aboutHint')}
          defaultValue={me.about}
          maxLength={limits.aboutLengthMax}
          lines={3}
        />
        <div>
          <Button type="submit" isPending={change.isPending}>
            {t('app.save')}
          </Button>
        </div>
      </Form>
    </Section>
  )
}
