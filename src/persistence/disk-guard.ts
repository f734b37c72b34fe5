// DiskGuard: the state of the disk, and the gate that refuses writes (MISCONF) after a failed save or AOF write.
//
//   HEALTHY → FAILING [saveEnded, writeEnded, syncEnded with a failure] → HEALTHY [the same without]
//
// Always: the gate is set only while something fails. Error texts are Redis's.

import { Panic } from '../engine/boundary.ts'
import { CMD_WRITE } from '../engine/catalog/command.ts'
import { CLIENT_MASTER, type Client } from '../engine/client.ts'
import type { Gate, Gates } from '../engine/gates.ts'
import { errorBytes } from '../protocol/reply.ts'
import type { DiskError, Log } from '../system/system.ts'

const SAVE_FAILED =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error."
const SCRIPTS_BLOCKED =
  "but it's currently unable to persist to disk. Writable scripts are blocked. Use 'no-writes' flag for read only scripts."

interface GuardConfig {
  readonly save: readonly unknown[]
  readonly stopWritesOnBgsaveError: boolean
  readonly replicaIgnoreDiskWriteErrors: boolean
}

const LOG_MS = 5000

export class DiskGuard {
  /** Time that writes and fsyncs of the append-only file took of the event loop, in microseconds. */
  logUs = 0
  /** The last background save, or the last SAVE, succeeded. */
  lastSaveOk = true
  /** Of the last write to the append-only file; undefined: it succeeded. */
  writeError: DiskError | undefined
  /** Of the last fsync of the append-only file in the background. */
  syncError: DiskError | undefined
  private readonly gates: Gates
  private readonly config: GuardConfig
  private readonly log: Log
  private readonly isAofOn: () => boolean
  private loggedMs = 0

  constructor(gates: Gates, config: GuardConfig, log: Log, isAofOn: () => boolean) {
    this.log = log
    this.gates = gates
    this.config = config
    this.isAofOn = isAofOn
  }

  saveEnded(ok: boolean): void {
    this.lastSaveOk = ok
    this.update()
  }

  writeEnded(error: DiskError | undefined): void {
    this.writeError = error
    this.update()
  }

  syncEnded(error: DiskError | undefined): void {
    this.syncError = error
    this.update()
  }

  private get aofError(): DiskError | undefined {
    return this.writeError ?? this.syncError
  }

  private update(): void {
    const healthy = this.lastSaveOk && this.aofError === undefined
    this.gates.set('disk', healthy ? undefined : this.gate)
  }

  private readonly gate: Gate = (client, entry, _args, _argc, flags) => {
    if ((flags & CMD_WRITE) === 0 && entry.fullName !== 'ping') return undefined
    const reason = this.reasonAgainst(entry.command.group === 'scripting')
    if (reason === undefined || !client.has(CLIENT_MASTER)) return reason
    this.obey(client, entry.fullName)
    return undefined
  }

  /** A replica applies its primary's command although it cannot write it to the disk, or ends. */
  private obey(client: Client, command: string): void {
    if (command === 'ping') return
    if (!this.config.replicaIgnoreDiskWriteErrors) throw new Panic('Replica was unable to write command to disk.')
    if (client.lastActiveMs - this.loggedMs < LOG_MS) return
    this.loggedMs = client.lastActiveMs
    this.log.warning('Replica is applying a command even though it is unable to write to disk.')
  }

  /** Why nothing may be written; undefined: it may. */
  private reasonAgainst(ofScript: boolean): Uint8Array | undefined {
    const { config } = this
    if (!this.lastSaveOk && config.stopWritesOnBgsaveError && config.save.length > 0)
      return errorBytes(
        ofScript ? `MISCONF Redis is configured to save RDB snapshots, ${SCRIPTS_BLOCKED}` : SAVE_FAILED,
      )
    const reason = this.isAofOn() ? this.aofError?.message : undefined
    if (reason === undefined) return undefined
    return errorBytes(
      ofScript
        ? `MISCONF Redis is configured to persist data to AOF, ${SCRIPTS_BLOCKED} AOF error: ${reason}`
        : `MISCONF Errors writing to the AOF file: ${reason}`,
    )
  }
}
