// Configuration: what commands ask of the server's configuration. server/configuration.ts is behind it.

interface ConfigCaller {
  /** The client is on this machine. */
  local: boolean
}

export interface Configuration {
  /** Names and values, as CONFIG GET answers patterns. */
  get(patterns: readonly string[]): readonly (readonly [name: string, value: string])[]
  /** Sets all pairs or none: null, or the error line; a promise when sockets or files have to be waited for. */
  set(
    pairs: readonly (readonly [name: string, value: string])[],
    caller: ConfigCaller,
  ): string | null | Promise<string | null>
  /** Writes the file back, `everything`: also what has its default. Null, or the error line. */
  rewrite(everything: boolean): string | null
  /** Whether values of this directive are secrets, to be kept out of logs. */
  isSensitive(name: string): boolean
}
