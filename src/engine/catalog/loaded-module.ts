// LoadedModule: what commands tell of a module.

export interface LoadedModule {
  readonly name: string
  readonly version: number
  /** Empty for a module of the embedding program. */
  readonly path: string
  readonly args: readonly string[]
  /** Names of its commands; those of subcommands are not in it. */
  readonly commands: readonly string[]
}
