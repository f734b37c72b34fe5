// Writes the configuration file: the whole new text to a temporary file, fsynced, then renamed.

import type { Random } from '../system/system.ts'
import type { Config } from './config.ts'
import type { NamedLines } from './rewrite.ts'
import { bytesOfLatin1, latin1 } from './words.ts'

/** Rewrites `config.configFile`; throws DiskError, the old file untouched. `more`: lines of other statements. */
export function rewriteConfigFile(
  config: Config,
  random: Random,
  users: readonly string[] = [],
  everything = false,
  more: readonly NamedLines[] = [],
): void {
  const { disk, configFile } = config
  const old = disk.stat(configFile) ? latin1(disk.readFile(configFile)) : ''
  const bytes = bytesOfLatin1(config.rewrite(old, users, everything, more))
  const temporary = `${configFile}.${random.u32().toString(36)}`
  try {
    const fd = disk.open(temporary, 'wx', 0o644)
    try {
      disk.write(fd, bytes, 0, bytes.length, null)
      disk.fsync(fd)
    } finally {
      disk.close(fd)
    }
    disk.rename(temporary, configFile)
  } catch (error) {
    if (disk.stat(temporary)) disk.unlink(temporary)
    throw error
  }
  disk.fsyncDir(configFile.replace(/[/\\][^/\\]*$/, '') || '/')
}
