// What this program calls itself, and the Redis it behaves as.

export const REDSTART_VERSION = '0.1.0'
export const REDIS_VERSION = '7.2.4'

/** What `--version` prints: the form of redis-server, which tools take apart. */
export function versionLine(runtime: string): string {
  return (
    `Redis server v=${REDIS_VERSION} sha=00000000:0 malloc=redstart-${REDSTART_VERSION} bits=64 ` +
    `build=${buildId()} redstart=${REDSTART_VERSION} runtime=${runtime.replace(' ', '-')}`
  )
}

/** Sixteen hexadecimal digits that differ from version to version (FNV-1a of the version). */
export function buildId(): string {
  let hash = 0xcbf29ce484222325n
  for (const char of `redstart ${REDSTART_VERSION}`)
    hash = BigInt.asUintN(64, (hash ^ BigInt(char.charCodeAt(0))) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}
