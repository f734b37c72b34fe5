// Configuration of the engine's ports: CONFIG over the server's Config, its file and its log.

import type { Config } from '../../config/config.ts'
import { rewriteConfigFile } from '../../config/file.ts'
import type { Configuration } from '../../engine/ports/configuration.ts'
import type { Random } from '../../system/system.ts'
import type { Logger } from '../log.ts'

interface ConfigurationParts {
  config: Config
  log: Logger
  random: Random
  /** Whether the dataset is being loaded. */
  isLoading(): boolean
  /** 'user ...' lines for the file; none when there is an ACL file. */
  users(): readonly string[]
  /** CONFIG SET has succeeded. */
  changed(names: readonly string[]): void
  /** 'loadmodule ...' lines for the file. */
  modules(): readonly string[]
}

export function configurationOf(parts: ConfigurationParts): Configuration {
  const { config, log } = parts
  return {
    get: patterns => config.get(patterns),
    set(pairs, caller) {
      const told = (outcome: string | null) => {
        if (outcome === null) parts.changed(pairs.map(([name]) => name.toLowerCase()))
        return outcome
      }
      const outcome = config.set(pairs, { local: caller.local, loading: parts.isLoading() })
      return outcome instanceof Promise ? outcome.then(told) : told(outcome)
    },
    rewrite(everything) {
      if (config.configFile === '') return 'ERR The server is running without a config file'
      try {
        rewriteConfigFile(config, parts.random, parts.users(), everything, [
          { name: 'loadmodule', lines: parts.modules().map(text => ({ text, needed: true })) },
        ])
        log.notice('CONFIG REWRITE executed with success.')
        return null
      } catch (error) {
        const why = (error as Error).message
        log.warning(`CONFIG REWRITE failed: ${why}`)
        return `ERR Rewriting config file: ${why}`
      }
    },
    isSensitive: name => config.isSensitive(name),
  }
}
