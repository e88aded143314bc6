/** The ways in which the person signs in, and the second step. */
import { ByPassword } from './password-section.tsx'
import { Passkeys } from './passkeys-section.tsx'
import { Identities } from './identities-section.tsx'
import { SecondFactors } from './second-factors-section.tsx'

export function SecurityPart() {
  return (
    <>
      <ByPassword />
      <Passkeys />
      <Identities />
      <SecondFactors />
    </>
  )
}
