// The program's version, and the Redis version it is compatible with.

export const REDSTART_VERSION = '0.1.0'
export const REDIS_VERSION = '7.2.4'

/** The output of `--version`: in redis-server's form, which tools parse. */
export function versionLine(runtime: string): string {
  return (
    `Redis server v=${REDIS_VERSION} sha=00000000:0 malloc=redstart-${REDSTART_VERSION} bits=64 ` +
    `build=${buildId()} redstart=${REDSTART_VERSION} runtime=${runtime.replace(' ', '-')}`
  )
}

/** Sixteen hexadecimal digits derived from the version (FNV-1a). */
export function buildId(): string {
  let hash = 0xcbf29ce484222325n
  for (const char of `redstart ${REDSTART_VERSION}`)
    hash = BigInt.asUintN(64, (hash ^ BigInt(char.charCodeAt(0))) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}
