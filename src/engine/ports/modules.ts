// ModuleLoader: MODULE LOAD and UNLOAD as commands use them; implemented by modules/modules.ts.

export interface ModuleLoader {
  /** Loads a file; false when that failed, which is logged. `parameters`: CONFIG of MODULE LOADEX. */
  load(path: string, args: readonly string[], parameters: ReadonlyMap<string, string>): Promise<boolean>
  /** Undefined, or why the module stays, as in the error reply. */
  unload(name: string): string | undefined
}
