// Follower: replicates the source to the target, as a replica of the source.
//
//   PULL ─▶ the dataset into the spool ─▶ FILL ─▶ RESTORE into the target ─▶ FOLLOW ─▶ changes, in batches
//     ▲                                                                        │
//     └──── link lost, and partial resynchronisation refused ──────────────────┘
//
// Always: the link is read as fast as the source sends, so that the source's output buffer for it stays small.

import { AwaitedLink } from '../../client/awaited-link.ts'
import { ConnectionLost } from '../../client/errors.ts'
import { Remote } from '../../client/remote.ts'
import type { ServerUrl } from '../../client/url.ts'
import { ReplyError } from '../../protocol/value.ts'
import type { Machine } from '../command-line.ts'
import { bytesText, Progress } from '../progress.ts'
import type { MigrationState } from './migration-state.ts'
import { passRdb, type RdbVisitor } from './rdb-pass.ts'
import type { ScratchKeyspace } from './scratch-keyspace.ts'
import { pause, type Stop } from './session.ts'
import { Spool } from './spool.ts'
import { StreamApplier } from './stream-applier.ts'
import { refusal, TargetWriter } from './target-writer.ts'

const IDLE_MS = 10
const RETRIES = 20
const RETRY_MS = 500
const QUIET_MS = 1500
/** Keys between two writes of the state, and the number of last keys that may not have been applied. */
const SAVE_KEYS = 50_000
const UNSURE_KEYS = 5_000

interface FollowerParts {
  machine: Machine
  state: MigrationState
  source: ServerUrl
  /** The follower's own connection. */
  target: Remote
  scratch: ScratchKeyspace
  stop: Stop
  note(text: string): void
}

export class Follower {
  asCommands = 0
  private readonly parts: FollowerParts
  private readonly spool: Spool
  private link: AwaitedLink | undefined
  private applier: StreamApplier | undefined
  private info: Remote | undefined
  /** follow() ends. */
  private ended = false
  private failure: Error | undefined
  private restarted = false
  private lastReceived = 0
  private lastReceivedMs = 0

  constructor(parts: FollowerParts) {
    this.parts = parts
    this.spool = new Spool(parts.machine.disk, parts.state)
    this.spool.onRestart = () => {
      this.restarted = true
    }
  }

  /** Keys of the dataset. */
  get keys(): number {
    return this.parts.state.facts.keysApplied
  }

  get changes(): number {
    return this.applier?.changes ?? 0
  }

  get refused(): { count: number; text: string } {
    return { count: this.applier?.refused ?? 0, text: this.applier?.refusal ?? '' }
  }

  /** Opens or reopens the link. Throws ClientErrors, and DiskErrors of the spool. */
  async connect(): Promise<void> {
    const { machine, state, source } = this.parts
    const { rdbReceived, id } = state.facts
    const from = rdbReceived && id !== '' ? { id, offset: this.spool.received } : undefined
    this.link = await AwaitedLink.open(source, { from }, machine, this.spool)
    if (this.link.continued) this.restarted = false
  }

  private linkError(): Error | undefined {
    const error = this.link?.error
    if (error === undefined || error instanceof ConnectionLost) return error
    throw error
  }

  /** Reconnects, with retries for a while. */
  private async reconnect(): Promise<void> {
    const { machine, note, stop } = this.parts
    note(`${(this.linkError() as Error).message}; connecting again`)
    for (let left = RETRIES; ; left--) {
      await stop.or(pause(machine, RETRY_MS))
      try {
        return await stop.or(this.connect())
      } catch (error) {
        if (!(error instanceof ConnectionLost) || left === 0) throw error
      }
    }
  }

  /** Restores the dataset into the target and starts to follow; resolves when following has begun. */
  async fill(): Promise<void> {
    const { state, note } = this.parts
    const { facts } = state
    for (;;) {
      if (!facts.rdbReceived) await this.pull()
      if (this.restarted) await this.beginAnew()
      if (!facts.rdbApplied) await this.apply()
      if (this.restarted) continue
      const { target } = this.parts
      const position = await StreamApplier.position(target, facts.id)
      if (position === undefined || position.offset < facts.streamBase || position.offset > this.spool.received) {
        note('the target does not say how far it came: beginning anew')
        Object.assign(facts, { rdbReceived: false, rdbApplied: false, keysApplied: 0, id: '' })
        this.link?.close()
        await this.connect()
        continue
      }
      this.applier = new StreamApplier(target, this.spool, facts.id, position)
      return
    }
  }

  private async pull(): Promise<void> {
    const { machine, state, stop } = this.parts
    let progress: Progress | undefined
    try {
      while (!state.facts.rdbReceived) {
        if (this.linkError() !== undefined) await this.reconnect()
        const { rdbBytes, rdbTotal } = this.spool
        if (rdbBytes > 0) progress ??= new Progress(machine, 'receiving', Math.max(0, rdbTotal))
        progress?.update(rdbBytes)
        await stop.or(pause(machine, IDLE_MS))
      }
    } finally {
      progress?.end()
    }
  }

  /** Deletes what an earlier attempt has left in the target. */
  private async beginAnew(): Promise<void> {
    const { state, target, note } = this.parts
    const { facts } = state
    this.restarted = false
    this.applier = undefined
    facts.keysApplied = 0
    if (!facts.ownsTarget) return
    const keys = await target.call('DBSIZE')
    if (this.started || state.resumed) note('the source sends its whole dataset again: the target is emptied')
    this.started = true
    if (keys !== 0 || state.resumed) await target.call('FLUSHALL')
    await target.try('FUNCTION', 'FLUSH')
  }

  private started = false

  private async apply(): Promise<void> {
    const { machine, state, target, scratch, stop } = this.parts
    const { facts } = state
    const writer = new TargetWriter(target, scratch, true)
    const skip = facts.keysApplied
    let keys = 0
    const libraries: Uint8Array[] = []
    const visitor: RdbVisitor = {
      key: (database, key, payload, { expiryMs, idleSeconds, frequency }) => {
        if (keys++ < skip) return
        writer.put({
          database,
          key: key.view().slice(),
          payload: payload().slice(),
          expiryMs: Number(expiryMs),
          idleSeconds,
          frequency,
        })
      },
      library: code => void libraries.push(code.view().slice()),
      pace: () => {
        if (this.restarted) throw new Restarted()
        const done = skip + writer.restored - UNSURE_KEYS
        if (done - facts.keysApplied > SAVE_KEYS) {
          facts.keysApplied = done
          state.save()
        }
        return writer.ready()
      },
    }
    try {
      await passRdb(machine, state.rdbPath, { label: 'filling', stop, visitor })
      await stop.or(writer.finish())
    } catch (error) {
      if (error instanceof Restarted) return
      throw error
    }
    for (const code of libraries) {
      const reply = await target.try('FUNCTION', 'LOAD', 'REPLACE', code)
      if (reply instanceof ReplyError) throw refusal(target, reply)
    }
    facts.keysApplied = keys
    this.asCommands += writer.asCommands
    await StreamApplier.mark(target, facts.id, facts.rdbOffset)
    facts.rdbApplied = true
    state.save()
    machine.disk.unlink(state.rdbPath)
  }

  /** Applies changes until end(). Its failure is thrown by caughtUp() and others. */
  follow(): void {
    this.run().catch((error: Error) => {
      this.failure ??= error
    })
  }

  private async run(): Promise<void> {
    const { machine } = this.parts
    while (!this.ended) {
      if (this.linkError() !== undefined) await this.reconnect()
      if (this.restarted) {
        await this.fill()
        continue
      }
      const applier = this.applier!
      if (await applier.step()) continue
      this.spool.release(applier.applied)
      await pause(machine, IDLE_MS)
    }
  }

  /** The source's replication offset. */
  private async sourceOffset(): Promise<number> {
    const { source, machine } = this.parts
    this.info ??= await Remote.open(source, machine)
    try {
      return Number((await this.info.info('replication')).master_repl_offset)
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      this.info = undefined
      return Number.POSITIVE_INFINITY
    }
  }

  /** Resolves when the target has everything that the source had at the call. */
  async caughtUp(showLag: boolean): Promise<void> {
    const { machine, stop, state } = this.parts
    const progress = new Progress(machine, 'catching up, lag', 0, bytesText)
    let goal = await this.sourceOffset()
    try {
      for (;;) {
        if (this.failure !== undefined) throw this.failure
        const applied = this.applier?.applied ?? 0
        if (state.facts.id === '' ? this.isQuiet() : applied >= goal && !this.restarted) return
        if (goal === Number.POSITIVE_INFINITY) goal = await this.sourceOffset()
        if (showLag) progress.update(Math.max(0, goal - applied))
        await stop.or(pause(machine, IDLE_MS))
      }
    } finally {
      progress.end()
    }
  }

  /** For a source without replication offset: no data for a while. */
  private isQuiet(): boolean {
    const nowMs = this.parts.machine.clock.nowMs()
    const { received } = this.spool
    if (received !== this.lastReceived || this.lastReceivedMs === 0) {
      this.lastReceived = received
      this.lastReceivedMs = nowMs
    }
    return this.applier !== undefined && nowMs - this.lastReceivedMs >= QUIET_MS
  }

  /** Bytes of the stream not applied to the target yet. */
  async lag(): Promise<number> {
    if (this.failure !== undefined) throw this.failure
    return Math.max(0, (await this.sourceOffset()) - (this.applier?.applied ?? 0))
  }

  /** Replaces the operator's stop signal. */
  newStop(stop: Stop): void {
    this.parts.stop = stop
  }

  async end(): Promise<void> {
    if (this.ended) return
    this.ended = true
    this.link?.close()
    this.info?.close()
    this.spool.close()
  }
}

/** The dataset being applied was replaced by a new one. */
class Restarted extends Error {}
