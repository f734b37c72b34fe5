// AuditLog: audit events as lines of JSON at the end of a file (audit-log).
//
// Always: lines are written in order, one write at a time, without blocking; the file is opened for each write, so that
// it may be renamed meanwhile (log rotation). A file that cannot be written is logged once until it can be again; its
// lines are dropped.

import type { Config } from '../config/config.ts'
import { textOfBytes } from '../config/words.ts'
import type { AuditEvent } from '../engine/monitoring/audit.ts'
import type { DiskError, System } from '../system/system.ts'
import type { Logger } from './log.ts'

/** Lines that wait for the disk; more are dropped. */
const PENDING_BYTES_MAX = 8 * 1024 * 1024

export class AuditLog {
  private readonly config: Config
  private readonly system: System
  private readonly log: Logger
  private pending: string[] = []
  private pendingBytes = 0
  private isWriting = false
  private hasFailed = false
  private dropped = 0

  constructor(config: Config, system: System, log: Logger) {
    this.config = config
    this.system = system
    this.log = log
  }

  add(event: AuditEvent): void {
    const { timeMs, ...facts } = event
    const line = `${JSON.stringify({ time: new Date(timeMs).toISOString(), ...asText(facts) })}\n`
    if (this.pendingBytes + line.length > PENDING_BYTES_MAX) {
      this.dropped++
      return
    }
    this.pending.push(line)
    this.pendingBytes += line.length
    if (this.isWriting) return
    this.isWriting = true
    this.system.timers.soon(() => this.write())
  }

  /** Writes what is pending at once: at the end of the server. */
  flush(): void {
    const path = this.config.auditLog
    if (path === '' || this.pending.length === 0) return
    try {
      this.system.disk.append(path, this.takePending())
    } catch (error) {
      this.fail(error as DiskError)
    }
  }

  private takePending(): Uint8Array {
    if (this.dropped > 0) this.log.warning(`The audit log has lost ${this.dropped} lines: the disk is too slow`)
    const bytes = new TextEncoder().encode(this.pending.join(''))
    this.pending = []
    this.pendingBytes = this.dropped = 0
    return bytes
  }

  private write(): void {
    const path = this.config.auditLog
    this.isWriting = false
    if (path === '' || this.pending.length === 0) {
      this.pending = []
      this.pendingBytes = 0
      return
    }
    const { disk } = this.system
    let fd: number
    try {
      fd = disk.open(path, 'a', 0o600)
    } catch (error) {
      this.takePending()
      return this.fail(error as DiskError)
    }
    this.isWriting = true
    const bytes = this.takePending()
    disk.writeLater(fd, bytes, 0, bytes.length, null, error => {
      disk.closeLater(fd, () => {
        if (error === null) this.hasFailed = false
        else this.fail(error)
        this.write()
      })
    })
  }

  private fail(error: DiskError): void {
    if (!this.hasFailed) this.log.warning(`The audit log cannot be written: ${error.message}`)
    this.hasFailed = true
  }
}

/** Byte strings as the text that they spell in UTF-8. */
function asText(facts: object): object {
  const text = (value: unknown) => (typeof value === 'string' ? textOfBytes(value) : value)
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, Array.isArray(value) ? value.map(text) : text(value)]),
  )
}
