// Configuration: the server's configuration as commands use it; implemented by server/assembly/configuration.ts.

interface ConfigCaller {
  /** The client is on this machine. */
  local: boolean
}

export interface Configuration {
  /** Names and values that match patterns, as in CONFIG GET. */
  get(patterns: readonly string[]): readonly (readonly [name: string, value: string])[]
  /** Sets all pairs or none: null, or the error line; a promise when sockets or files have to be waited for. */
  set(
    pairs: readonly (readonly [name: string, value: string])[],
    caller: ConfigCaller,
  ): string | null | Promise<string | null>
  /** CONFIG REWRITE. `everything`: also directives at their default. Null, or the error line. */
  rewrite(everything: boolean): string | null
  /** Whether this directive's values are secrets, which logs must not show. */
  isSensitive(name: string): boolean
}
