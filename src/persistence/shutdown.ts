// Shutdown: persistence's steps before the process ends.
//
//   cancel snapshots ─▶ fsync the AOF ─▶ save, if requested or configured ─▶ close
//
// Always: clients are paused during the last save, which would not contain their writes. When the process must not end,
// the pause is lifted.

import type { ShutdownFlag } from '../engine/ports/host.ts'
import { attempt } from '../system/system.ts'
import { AOF_OFF, AOF_WAIT_REWRITE, type AofLog } from './aof/log.ts'
import type { AofRewriter } from './aof/rewriter.ts'
import type { PersistenceDependencies } from './parts.ts'
import type { Saver } from './saver.ts'

export class Shutdown {
  private readonly parts: PersistenceDependencies
  private readonly saver: Saver
  private readonly aof: AofLog
  private readonly rewriter: AofRewriter

  constructor(parts: PersistenceDependencies, saver: Saver, aof: AofLog, rewriter: AofRewriter) {
    this.parts = parts
    this.saver = saver
    this.aof = aof
    this.rewriter = rewriter
  }

  /** False, and logged, when the process must not end. */
  async run(flags: readonly ShutdownFlag[], isLoading: boolean): Promise<boolean> {
    const { aof, parts } = this
    const { engine, log } = parts
    const force = flags.includes('force')
    if (!this.cancelJobs(force)) return false
    if (aof.state !== AOF_OFF) {
      log.notice('Calling fsync() on the AOF file.')
      aof.fsyncNow()
    }
    const noSave = flags.includes('nosave') || isLoading
    if (flags.includes('save') || (parts.config.save.length > 0 && !noSave)) {
      log.notice('Saving the final RDB snapshot before exiting.')
      engine.pause.begin(Number.POSITIVE_INFINITY, true, 'shutdown')
      const saved = await this.saver.saveAtEnd()
      if (!saved) log.warning(`Error trying to save the DB${force ? '. Exit anyway.' : ", can't exit."}`)
      if (!saved && !force) {
        engine.pause.end('shutdown')
        engine.serveBlockedAndFlush()
        return false
      }
    }
    if (aof.state !== AOF_OFF) aof.close()
    parts.checkpoints?.ended()
    return true
  }

  /** Cancels background jobs; false, and logged, when that is not allowed. */
  private cancelJobs(force: boolean): boolean {
    const { saver, rewriter, aof, parts } = this
    const { log } = parts
    if (saver.job !== undefined) {
      log.warning('There is a child saving an .rdb. Killing it!')
      saver.kill()
    }
    if (aof.state !== AOF_OFF && rewriter.isActive) {
      if (aof.state === AOF_WAIT_REWRITE) {
        if (!force) {
          log.warning("Writing initial AOF, can't exit")
          return false
        }
        log.warning('Writing initial AOF. Exit anyway.')
      }
      log.warning('There is a child rewriting the AOF. Killing it!')
      rewriter.kill()
    }
    this.removeTemporary()
    return true
  }

  /** Removes temporary files when the process ends. */
  removeTemporary(): void {
    const { parts, saver } = this
    const { disk } = parts
    saver.removeTemporary()
    for (const path of [`temp-rewriteaof-${parts.pid}.aof`, `temp-repl-${parts.pid}.rdb`])
      if (disk.stat(path) !== null) attempt(() => disk.unlink(path))
  }
}
