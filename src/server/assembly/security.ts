// Connects users, logins and the audit to the server: the ACL file and `user` lines, requirepass, an authenticator, the
// audit log.

import type { Config } from '../../config/config.ts'
import type { Engine } from '../../engine/engine.ts'
import type { AuditEvent } from '../../engine/monitoring/audit.ts'
import { putHook } from '../../lib/hooks.ts'
import type { Modules } from '../../modules/modules.ts'
import type { System } from '../../system/system.ts'
import { aclFileOf } from '../acl-file.ts'
import { AuditLog } from '../audit-log.ts'
import { loadUsers } from '../config-statements.ts'
import type { StartServerOptions } from '../launch.ts'
import type { Logger } from '../log.ts'
import { Logins } from '../logins.ts'

/** Throws StartFailure when the users cannot be loaded. The audit log is to be flushed at the end. */
export function addSecurity(
  engine: Engine,
  modules: Modules,
  config: Config,
  system: System,
  log: Logger,
  options: StartServerOptions,
): AuditLog {
  const { acl, auth, boundary, observers } = engine
  acl.file = aclFileOf(config, acl, system, log)
  loadUsers(config, acl, log)
  config.onChange('requirepass', () => {
    acl.setDefaultPassword(config.requirepass)
    return undefined
  })
  const logins = new Logins(options.authentication ?? {}, system, log, work => boundary.guard(work))
  const given = [options.authenticate, ...(options.extensions ?? []).map(one => one.authenticate)]
  modules.loginsChanged = () => {
    logins.functions = [...given.filter(one => one !== undefined), ...modules.logins]
    auth.authenticator = logins.functions.length > 0 ? logins : undefined
  }
  modules.loginsChanged()
  const auditLog = new AuditLog(config, system, log)
  const { listeners } = observers.audit
  if (options.audit !== undefined) listeners.push(guarded(options.audit, log))
  const toFile = (event: AuditEvent) => auditLog.add(event)
  const listen = () => {
    putHook(listeners, toFile, config.auditLog !== '')
    return undefined
  }
  listen()
  config.onChange('audit-log', listen)
  return auditLog
}

/** An exception of the program's listener must not become one of the command that it hears of. */
function guarded(audit: (event: AuditEvent) => void, log: Logger): (event: AuditEvent) => void {
  return event => {
    try {
      audit(event)
    } catch (error) {
      log.warning(`The audit listener has failed: ${String(error)}`)
    }
  }
}
