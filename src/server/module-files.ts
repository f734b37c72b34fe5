// The modules that loadmodule names, read before the server is made: its users may be allowed their commands.

import type { Config } from '../config/config.ts'
import { textOfBytes } from '../config/words.ts'
import type { LoadedModule } from '../engine/catalog/loaded-module.ts'
import { quoted } from '../lib/words.ts'
import { type ModuleToLoad, moduleOfFile } from '../modules/modules.ts'
import type { System } from '../system/system.ts'
import { StartFailure } from './start-failure.ts'

/** The lines of the modules that came from files, for CONFIG REWRITE. */
export function loadmoduleLines(modules: readonly LoadedModule[]): string[] {
  const fromFiles = modules.filter(({ path }) => path !== '')
  return fromFiles.map(({ path, args }) => ['loadmodule', path, ...args].map(wordText).join(' '))
}

function wordText(word: string): string {
  const plain = word !== '' && [...word].every(char => char > ' ' && char < '\x7f' && !'"\'\\#'.includes(char))
  return plain ? word : quoted(word)
}

/** Throws StartFailure. */
export async function modulesOfFile(config: Config, system: System): Promise<ModuleToLoad[]> {
  const modules: ModuleToLoad[] = []
  for (const { words } of config.statements) {
    if (words[0] !== 'loadmodule') continue
    const [path, ...args] = words.slice(1).map(textOfBytes)
    try {
      modules.push(await moduleOfFile(path, args, system.process))
    } catch (error) {
      throw new StartFailure(
        `Module ${path} failed to load: ${(error as Error)?.message ?? error}`,
        `Can't load module from ${path}: server aborting`,
      )
    }
  }
  return modules
}
