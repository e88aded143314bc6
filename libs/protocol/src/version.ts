/**
 * The version of the wire. A change that an older client would misread raises `protocolVersion`; any change at all
 * changes `wireHash`, and version.test.ts fails until both were looked at. A node speaks every version from
 * `protocolVersionMin` up.
 */
export const protocolVersion = 1
export const protocolVersionMin = 1
export const wireHash = 'eacf7e214ca80c62'
