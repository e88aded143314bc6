export { add, type AddCeremony, beginAdd } from './add.ts'
export { list } from './list.ts'
export type {
  Ceremony,
  HeldPasskey,
  MadePasskey,
  NewPasskey,
  Passkey,
  PasskeyRef,
  ShownPasskey,
} from './passkey.ts'
export { passkeysMax } from './passkey.ts'
export { beginRegister, register, type RegisterCeremony } from './register.ts'
export { remove } from './remove.ts'
export { rename } from './rename.ts'
