// AofLoader: replays the AOF files in manifest order.
//
//   base (RDB, or commands) ─▶ incremental files ─▶ the last one may be truncated
//
// Always: a transaction (MULTI … EXEC) is applied as a whole or not at all. A truncated file is an error, or is cut
// after its last complete command when it is the last non-empty file and aof-load-truncated is set. (Empty files may
// follow it: a rewrite adds the next file to the manifest before writing to it.)

import { stackOf } from '../../engine/boundary.ts'
import type { TableEntry } from '../../engine/catalog/table.ts'
import { CLIENT_INTERNAL, Client, type QueuedCommand } from '../../engine/client.ts'
import { copyCommand } from '../../engine/copied-command.ts'
import { reasonOf } from '../../lib/reason.ts'
import type { Slice } from '../../lib/slice.ts'
import { Unwind } from '../../lib/unwind.ts'
import type { Reply } from '../../protocol/reply.ts'
import type { Connection } from '../../system/network.ts'
import { attempt, DiskError } from '../../system/system.ts'
import { LoadFailure, type LoadProgress, type LoadSteps } from '../loading.ts'
import type { PersistenceDependencies } from '../parts.ts'
import { RdbInput } from '../rdb/input.ts'
import type { RdbLoader } from '../rdb-loader.ts'
import { ANNOTATION, CommandReader, INCOMPLETE, MALFORMED } from './command-reader.ts'
import type { AofFiles } from './files.ts'
import { endOfData, isRdb } from './format.ts'

const WINDOW_BYTES = 1 << 20
/** A long command is read in pieces of this size. */
const PIECE_BYTES = 4 << 20
const COMMANDS_PER_TURN = 1024

const WHOLE = 0
const TRUNCATED = 1

/** Replayed commands have no connection. */
const NO_CONNECTION: Connection = {
  write: (_u8: Uint8Array, start: number, end: number) => end - start,
  close() {},
  pause() {},
  resume() {},
  kind: 'memory',
  peer: '',
  local: '',
  fd: -1,
}

export class AofLoader {
  private readonly parts: PersistenceDependencies
  private readonly files: AofFiles
  private readonly progress: LoadProgress
  private readonly rdb: RdbLoader
  private readonly reader = new CommandReader()
  private client!: Client
  private transaction: QueuedCommand[] | undefined
  private fileName = ''
  private inTurns = false

  constructor(parts: PersistenceDependencies, files: AofFiles, progress: LoadProgress, rdb: RdbLoader) {
    this.parts = parts
    this.files = files
    this.progress = progress
    this.rdb = rdb
  }

  /**
   * Replays all files; returns their total size, 0 when there are none. `inTurns`: clients are served between steps,
   * also while a slow script runs. Throws LoadFailure.
   */
  *load(inTurns: boolean): LoadSteps<number> {
    const { files, parts, progress } = this
    this.inTurns = inTurns
    const { manifest } = files
    let total = 0
    for (const file of manifest.files) {
      if (!files.exists(file.name)) {
        files.sizeOf(file) // logs it
        throw new LoadFailure()
      }
      total += files.sizeOf(file)
    }
    if (total === 0) return 0
    progress.begin(total)
    try {
      let before = 0
      for (const file of manifest.files) {
        const begin = parts.clock.monotonicUs()
        const size = files.sizeOf(file)
        const outcome = size === 0 ? WHOLE : yield* this.loadFile(file.name, before)
        if (outcome === TRUNCATED && files.sizeAfter(file) > 0)
          throw new LoadFailure('Fatal error: the truncated file is not the last file')
        const seconds = ((parts.clock.monotonicUs() - begin) / 1e6).toFixed(3)
        const kind = file === manifest.base ? 'base' : manifest.deltas.includes(file) ? 'delta' : 'incr'
        parts.log.notice(`DB loaded from ${kind} file ${file.name}: ${seconds} seconds`)
        before += size
      }
    } finally {
      progress.end()
    }
    return manifest.files.reduce((sum, file) => sum + files.sizeOf(file), 0)
  }

  private *loadFile(name: string, bytesBefore: number): LoadSteps<number> {
    const { disk, log, engine } = this.parts
    const path = this.files.path(name)
    this.fileName = name
    let fd = -1
    const opening = attempt(() => {
      fd = disk.open(path, 'r')
    })
    if (opening !== undefined)
      throw new LoadFailure(`Fatal error: can't open the append log file ${name} for reading: ${opening.message}`)
    this.client = new Client(0, NO_CONNECTION, engine.keyspace.databases[0], engine.keyspace.nowMs)
    this.client.authenticated = true
    this.client.flags |= CLIENT_INTERNAL
    this.transaction = undefined
    this.allowScriptSuspension(true)
    try {
      let from = 0
      if (isRdb(disk, fd)) {
        const oldStyle = name === this.files.prefix
        log.notice(oldStyle ? 'Reading RDB preamble from AOF file...' : 'Reading RDB base file on AOF loading...')
        from = yield* this.preamble(fd, name, oldStyle)
        if (oldStyle) log.notice('Reading the remaining AOF tail...')
      }
      return yield* this.replay(fd, path, from, bytesBefore)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      throw new LoadFailure(`Unrecoverable error reading the append only file ${name}: ${reasonOf(error)}`)
    } finally {
      this.allowScriptSuspension(false)
      attempt(() => disk.close(fd))
    }
  }

  /** Off inside a transaction: its scripts must run without suspending. */
  private allowScriptSuspension(on: boolean): void {
    this.parts.engine.scripting.replaying = on && this.inTurns ? this.client : undefined
  }

  private *preamble(fd: number, name: string, oldStyle: boolean): LoadSteps<number> {
    // A delta has all libraries that there were.
    const isDelta = this.files.manifest.deltas.some(delta => delta.name === name)
    if (isDelta) this.parts.libraries.clear()
    try {
      return yield* this.rdb.load(fd, name, {
        dropExpired: false,
        replace: false,
        places: this.parts.checkpoints,
        from: 0,
      })
    } catch (error) {
      if (!(error instanceof LoadFailure)) throw error
      const what = oldStyle ? 'RDB preamble of the AOF file' : 'RDB base file'
      throw error.followedBy(`Error reading the ${what} ${name}, AOF loading aborted`)
    }
  }

  /** Replays the commands from offset `from`. */
  private *replay(fd: number, path: string, from: number, bytesBefore: number): LoadSteps<number> {
    const { disk, engine, config, log } = this.parts
    const input = new RdbInput()
    input.base = from
    const { sizeBytes } = disk.fstat(fd)
    // After a torn write the file may end in zeros: its size can reach the disk before its last bytes.
    const dataEnd = endOfData(disk, fd, from, sizeBytes)
    /** The file is valid up to here: after a complete command outside of a transaction. */
    let validUpTo = from
    let readAt = from
    let ended = false
    for (let left = COMMANDS_PER_TURN; ; left--) {
      if (left === 0) {
        this.progress.loadedBytes = bytesBefore + input.offset
        yield 0
        engine.tick()
        left = COMMANDS_PER_TURN
      }
      if (config.keyLoadDelay > 0) yield config.keyLoadDelay / 1000
      if (this.next(input, ended)) {
        // A suspended script resumes between the steps.
        while (engine.scripting.running !== undefined) yield 0
        if (this.transaction === undefined) validUpTo = input.offset
        continue
      }
      if (ended) break
      // A corrupt length must not make the buffer larger than the file.
      const wanted = Math.max(1, Math.min(Math.max(WINDOW_BYTES, input.wanted), dataEnd - readAt))
      input.checkpoint = input.pos
      input.reserve(wanted)
      const piece = Math.min(wanted, PIECE_BYTES)
      const got = readAt < dataEnd ? disk.read(fd, input.u8, input.end, piece, readAt) : 0
      input.end += got
      readAt += got
      ended = got === 0
      if (piece < wanted) yield 0
    }
    const unfinished = this.transaction !== undefined
    if (unfinished) log.warning(`Revert incomplete MULTI/EXEC transaction in AOF file ${this.fileName}`)
    if (!unfinished && input.available === 0 && dataEnd === sizeBytes) return WHOLE
    return this.truncated(path, validUpTo)
  }

  private truncated(path: string, validUpTo: number): number {
    const { disk, log, config } = this.parts
    const name = this.fileName
    if (config.aofLoadTruncated) {
      log.warning(`!!! Warning: short read while loading the AOF file ${name}!!!`)
      log.warning(`!!! Truncating the AOF ${name} at offset ${validUpTo} !!!`)
      let fd = -1
      const cutting = attempt(() => {
        fd = disk.open(path, 'r+')
        disk.truncate(fd, validUpTo)
        disk.fsync(fd)
      })
      if (fd >= 0) attempt(() => disk.close(fd))
      if (cutting === undefined) {
        log.warning(`AOF ${name} loaded anyway because aof-load-truncated is enabled`)
        return TRUNCATED
      }
      log.warning(`Error truncating the AOF file ${name}: ${cutting.message}`)
    }
    throw new LoadFailure(
      `Unexpected end of file reading the append only file ${name}. You can: 1) Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and restart the server.`,
    )
  }

  /** Applies the next command, or skips an annotation; false when the input is incomplete. `isLast`: it ends so. */
  private next(input: RdbInput, isLast: boolean): boolean {
    const { reader } = this
    const outcome = reader.read(input.u8, input.dv, input.pos, input.end, isLast)
    if (outcome === MALFORMED) this.malformed()
    if (outcome === INCOMPLETE) {
      input.wanted = reader.bytesNeeded
      return false
    }
    input.pos = reader.pos
    if (outcome === ANNOTATION) return true
    this.run(reader.args, reader.argc)
    return true
  }

  private malformed(): never {
    throw new LoadFailure(
      `Bad file format reading the append only file ${this.fileName}: make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>`,
    )
  }

  private run(args: Slice[], argc: number): void {
    const entry = this.lookup(args, argc)
    switch (entry.fullName) {
      case 'multi':
        this.transaction = []
        return
      case 'exec': {
        const commands = this.transaction ?? []
        this.transaction = undefined
        this.allowScriptSuspension(false)
        for (const one of commands) this.call(one.entry, one.args, one.args.length)
        this.allowScriptSuspension(true)
        return
      }
    }
    if (this.transaction !== undefined) this.transaction.push(copyCommand(entry, args, argc))
    else this.call(entry, args, argc)
  }

  private lookup(args: Slice[], argc: number): TableEntry {
    const { table } = this.parts.engine
    const entry = table.resolve(args, argc)
    if (entry === undefined || !entry.takes(argc))
      throw new LoadFailure(`Unknown command '${args[0].latin1()}' reading the append only file ${this.fileName}`)
    return entry
  }

  private call(entry: TableEntry, args: Slice[], argc: number): void {
    const { ctx, keyspace } = this.parts.engine
    const { reply } = ctx
    const { pos, errors } = reply
    ctx.enter(this.client, entry, args, argc)
    keyspace.clientNoTouch = false
    try {
      entry.run(ctx)
    } catch (error) {
      this.unexpected(error, entry)
    }
    if (reply.errors !== errors) this.failed(entry, reply, reply.errors - errors)
    reply.rollBack(pos, errors)
  }

  /** The dataset is not what it was when the command was logged. */
  private failed(entry: TableEntry, reply: Reply, count: number): void {
    this.client.lastCommand = entry
    this.parts.engine.dispatch.addErrorStats(this.client, reply, count)
  }

  /** A command that failed internally may have left partial changes: loading stops. */
  private unexpected(error: unknown, entry: TableEntry): never {
    if (error instanceof Unwind || error instanceof LoadFailure) throw error
    throw new LoadFailure(
      `Unexpected error in command '${entry.fullName}' reading the append only file ${this.fileName}: ${stackOf(error)}`,
    )
  }
}
