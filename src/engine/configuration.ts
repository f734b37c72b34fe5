// Configuration: what commands ask of the server's configuration. server/configuration.ts is behind it.

export interface ConfigCaller {
  /** The client is on this machine. */
  local: boolean
}

export interface Configuration {
  /** Names and values, as CONFIG GET answers patterns. */
  get(patterns: readonly string[]): readonly (readonly [name: string, value: string])[]
  /** Sets all pairs or none: undefined, or the error line. */
  set(pairs: readonly (readonly [name: string, value: string])[], caller: ConfigCaller): string | undefined
  /** Writes the file back, `everything`: also what has its default. Undefined, or the error line. */
  rewrite(everything: boolean): string | undefined
  /** Whether values of this directive are secrets, to be kept out of logs. */
  isSensitive(name: string): boolean
}
