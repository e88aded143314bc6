/** What images stand for on nodes whose pods are processes. tools/kube/cmd/node/images.go reads the same table. */
/** What an image stands for on a node whose pods are processes. Named by `repository` or, to tell versions apart, `repository:tag`. */
export interface ProcessImage {
  /** The root file system; pods see a private, writable copy of it. The machine's own, if it is left out. */
  readonly root?: string
  /** Folders of the machine that the image holds: `{ '/app': '/home/me/flotilla' }`. */
  readonly folders?: Readonly<Record<string, string>>
  readonly command: readonly string[]
  readonly workingFolder?: string
  readonly env?: Readonly<Record<string, string>>
  readonly uid?: number
}

