/** Which square of a picture is taken, for a person or a group: drawn on a canvas, moved by pointer or arrow keys, sized by a slider. */
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useRef, useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { Button } from './button.tsx'
import { Actions, Dialog, Stack } from './dialog.tsx'
import { Notice } from './notice.tsx'
import { clampCrop, type Crop, middleCrop } from './crop.ts'

const sidePx = 640
const zoomMax = 4
const keyStep = 0.02

interface CropProps {
  readonly title: string
  readonly file: File
  /** @returns whether it was kept: what it was refused with is told */
  save(picture: Blob): Promise<boolean>
  onClose(): void
}

export function CropDialog({ title, ...props }: CropProps) {
  return (
    <Dialog title={title} onClose={props.onClose}>
      <Stack>
        <Cropper {...props} />
      </Stack>
    </Dialog>
  )
}

function Cropper({ file, save, onClose }: Omit<CropProps, 'title'>) {
  const { t } = useTranslation()
  const [isSaving, setSaving] = useState(false)
  const canvas = useRef<HTMLCanvasElement>(null)
  const picture = usePicture(file)
  const [chosen, setCrop] = useState<Crop>()
  const crop = chosen ?? (picture.bitmap && middleCrop(picture.bitmap))
  const change = useCallback(
    (next: Crop) => picture.bitmap && setCrop(clampCrop(next, picture.bitmap)),
    [picture.bitmap],
  )
  const take = async () => {
    setSaving(true)
    const isSaved = await save(await toBlob(canvas.current))
    setSaving(false)
    if (isSaved) onClose()
  }
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context || !picture.bitmap || !crop) return
    context.imageSmoothingQuality = 'high'
    context.clearRect(0, 0, sidePx, sidePx)
    context.drawImage(picture.bitmap, crop.x, crop.y, crop.side, crop.side, 0, 0, sidePx, sidePx)
  }, [picture.bitmap, crop])

  if (picture.isBroken) return <Notice look="danger">{t('errors.image_invalid')}</Notice>
  const widest = picture.bitmap === undefined ? 1 : Math.min(picture.bitmap.width, picture.bitmap.height)
  const move = (dx: number, dy: number) => crop && change({ ...crop, x: crop.x + dx, y: crop.y + dy })
  return (
    <>
      <p className="text-soft">{t('crop.text')}</p>
      <canvas
        ref={canvas}
        width={sidePx}
        height={sidePx}
        tabIndex={0}
        // oxlint-disable-next-line jsx-a11y/no-interactive-element-to-noninteractive-role -- it is moved by keys
        role="application"
        aria-label={t('crop.area')}
        onKeyDown={event => moveByKey(event, widest, move)}
        onPointerDown={event => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={event => moveByPointer(event, crop?.side ?? 0, move)}
        className="aspect-square w-full max-w-80 cursor-move touch-none justify-self-center rounded-full bg-sunk"
      />
      <label className="grid gap-1 text-small font-medium">
        {t('crop.zoom')}
        <input
          type="range"
          min={1}
          max={zoomMax}
          step={0.05}
          value={crop === undefined ? 1 : widest / crop.side}
          onChange={event => crop && change(zoomed(crop, widest / Number(event.target.value)))}
          className="h-6 accent-accent"
        />
      </label>
      <Actions>
        <Button look="secondary" onPress={onClose}>
          {t('app.cancel')}
        </Button>
        <Button isDisabled={crop === undefined} isPending={isSaving} onPress={() => void take()}>
          {t('app.save')}
        </Button>
      </Actions>
    </>
  )
}

/** Around the middle of what is seen. */
const zoomed = (crop: Crop, side: number): Crop => ({
  x: crop.x + (crop.side - side) / 2,
  y: crop.y + (crop.side - side) / 2,
  side,
})

function moveByPointer(event: PointerEvent<HTMLCanvasElement>, side: number, move: (dx: number, dy: number) => void) {
  if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
  const scale = side / event.currentTarget.clientWidth
  move(-event.movementX * scale, -event.movementY * scale)
}

const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

function moveByKey(event: KeyboardEvent, widest: number, move: (dx: number, dy: number) => void) {
  const arrow = arrows[event.key]
  if (arrow === undefined) return
  event.preventDefault()
  move(arrow[0] * widest * keyStep, arrow[1] * widest * keyStep)
}

function usePicture(file: File): { readonly bitmap?: ImageBitmap; readonly isBroken?: boolean } {
  const [read, setRead] = useState<{ of: File; bitmap?: ImageBitmap; isBroken?: boolean }>()
  useEffect(() => {
    let isOver = false
    createImageBitmap(file).then(
      bitmap => (isOver ? bitmap.close() : setRead({ of: file, bitmap })),
      () => !isOver && setRead({ of: file, isBroken: true }),
    )
    return () => void (isOver = true)
  }, [file])
  return read?.of === file ? read : {}
}

async function toBlob(canvas: HTMLCanvasElement | null): Promise<Blob> {
  const blob = await new Promise<Blob | null>(resolve => {
    if (canvas === null) resolve(null)
    else canvas.toBlob(resolve, 'image/webp', 0.92)
  })
  if (blob === null) throw new Error('unable to crop the picture: the browser made nothing of it')
  return blob
}
