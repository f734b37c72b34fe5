// AclFile: the users in a file of their own (aclfile), one a line. ACL LOAD and the start read it, ACL SAVE writes it.
//
// Always: the file is replaced whole: written under another name, fsynced, renamed.

import type { Config } from '../config/config.ts'
import { bytesOfLatin1, bytesOfText, latin1 } from '../config/words.ts'
import type { Acl, AclFile } from '../engine/acl/acl.ts'
import { usersOfFile } from '../engine/acl/lines.ts'
import type { System } from '../system/system.ts'
import type { Logger } from './log.ts'

/** The file that the configuration names; undefined for none. */
export function aclFileOf(config: Config, acl: Acl, { disk, random }: System, log: Logger): AclFile | undefined {
  const path = config.aclfile
  if (path === '') return undefined
  return {
    load() {
      let text: string
      try {
        text = latin1(disk.readFile(path))
      } catch (error) {
        return `Error loading ACLs, opening file '${bytesOfText(path)}': ${(error as Error).message}`
      }
      const users = usersOfFile(text, bytesOfText(path), name => acl.newUser(name))
      if (typeof users === 'string') return users
      acl.replaceAll(users)
      return undefined
    },
    save() {
      const temporary = `${path}.tmp-${random.u32().toString(36)}`
      const bytes = bytesOfLatin1(acl.all.map(user => `${user.line}\n`).join(''))
      let step = 'Opening temp ACL file'
      try {
        const fd = disk.open(temporary, 'wx', 0o644)
        try {
          step = 'Writing ACL file'
          disk.write(fd, bytes, 0, bytes.length, null)
          step = 'Syncing ACL file'
          disk.fsync(fd)
        } finally {
          disk.close(fd)
        }
        step = 'Renaming ACL file'
        disk.rename(temporary, path)
        step = 'Syncing ACL directory'
        const whole = disk.resolve(path)
        disk.fsyncDir(whole.slice(0, whole.lastIndexOf('/')) || '/')
        return true
      } catch (error) {
        log.warning(`${step} for ACL SAVE: ${(error as Error).message}`)
        if (disk.stat(temporary) !== null) disk.unlink(temporary)
        return false
      }
    },
  }
}
