// PrimaryLink: the replica's side of a replication link: a snapshot of the dataset, then the replication stream.
// https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
//
//   connect ─▶ ping ─▶ auth ─▶ port ─▶ address ─▶ capa ─▶ version ─▶ rdbOnly ─▶ psync     (each command is a STEP)
//                                                                                 │
//     FULLRESYNC, or SYNC where there is no PSYNC    ┌────────────────────────────┤ CONTINUE
//                                                    ▼                            ▼
//                                 payload ─▶ loading [loaded] ─▶ stream ◀──────────
//   any state ─▶ closed
//
// Always: the target gets bytes in order, the next ones after it has returned; `offset` is the replication offset of
// the last byte received; nothing is read while the target loads. Once a second the primary gets a line feed or a
// REPLCONF ACK, since it closes replicas that are silent for repl-timeout.

import type { CommandWriter } from '../protocol/command-writer.ts'
import { ReplyError, textOf, type Value } from '../protocol/value.ts'
import type { Timer } from '../system/system.ts'
import {
  authWords,
  type ClientSystem,
  Connection,
  type ConnectionOptions,
  type ReplyHandler,
  writeWords,
} from './connection.ts'
import type { CloseReason } from './errors.ts'
import { PayloadReader, type PayloadSink } from './payload-reader.ts'

const ACK_MS = 1000
/** Limits of replies in the handshake: lines, none of them long. */
const LIMITS = { lineBytesMax: 64 * 1024, replyBytesMax: 64 * 1024 }

/** Receives the dataset and the stream. */
export interface LinkTarget extends PayloadSink {
  /** PSYNC was replied to: `continued`, `id` and `offset` of the link are set. */
  opened(link: PrimaryLink): void
  /** The file is complete. The stream comes after link.loaded(), which may be called from within. */
  rdbEnds(link: PrimaryLink): void
  /** Bytes of the stream, owned by the callee; link.offset includes them. */
  stream(bytes: Uint8Array): void
  /** The link has ended, but not by close(). */
  closed(reason: CloseReason): void
  /** The offset to acknowledge: the stream is applied up to it. Absent: link.offset. */
  appliedOffset?(): number
  /** The offset up to which it is fsynced (FACK). Absent or undefined: none is sent. */
  syncedOffset?(): number | undefined
  /** The handshake has come to this step. */
  reached?(state: LinkState): void
  /** The primary has no PSYNC, or an error for it: SYNC is tried. */
  refusedPsync?(reply: string): void
}

export interface LinkOptions
  extends Pick<ConnectionOptions, 'address' | 'user' | 'password' | 'connectMs' | 'silenceMs'> {
  /** Partial resynchronisation from here; absent: a full one. */
  from?: { id: string; offset: number }
  /** The primary is asked to become one: this server has been it until now (PSYNC … FAILOVER). */
  failover?: boolean
  /** The replica's listening port. */
  port?: number
  /** The address to announce, where the primary does not see it. */
  announcedAddress?: string
  version?: string
  /** Only the RDB file is wanted. */
  rdbOnly?: boolean
}

/** Of the handshake: the step whose reply is awaited. */
export type LinkState =
  | 'connect'
  | 'ping'
  | 'auth'
  | 'port'
  | 'address'
  | 'capa'
  | 'version'
  | 'rdbOnly'
  | 'psync'
  | 'payload'
  | 'loading'
  | 'stream'
  | 'closed'

/** A command of the handshake. */
interface Step {
  readonly name: LinkState
  /** The words; undefined: it is left out. */
  words(options: LinkOptions): readonly string[] | undefined
  /** Whether an error in reply to it ends the link. */
  mayFail(error: ReplyError): boolean
}

const PING: Step = {
  name: 'ping',
  words: () => ['PING'],
  // Servers that need AUTH first reply with one of these.
  mayFail: ({ text }) => /^(NOAUTH|NOPERM|ERR operation not permitted)/.test(text),
}

/** In this order, all at once; older servers lack some of them. */
const INTRODUCTION: readonly Step[] = [
  {
    name: 'auth',
    words: ({ user = '', password = '' }) => (password === '' ? undefined : authWords(user, password)),
    mayFail: () => false,
  },
  replconf('port', ({ port = 0 }) => ['listening-port', String(port)]),
  replconf('address', ({ announcedAddress: address }) => (address === undefined ? undefined : ['ip-address', address])),
  replconf('capa', () => ['capa', 'eof', 'capa', 'psync2']),
  replconf('version', ({ version }) => (version === undefined ? undefined : ['version', version])),
  replconf('rdbOnly', ({ rdbOnly }) => (rdbOnly === true ? ['rdb-only', '1'] : undefined)),
]

function replconf(name: LinkState, words: (options: LinkOptions) => string[] | undefined): Step {
  return {
    name,
    words: options => {
      const found = words(options)
      return found === undefined ? undefined : ['REPLCONF', ...found]
    },
    mayFail: () => true,
  }
}

/** Errors in reply to PSYNC that end the link; after any other SYNC is tried. */
const PSYNC_REFUSED = /^(NOPERM|NOAUTH|LOADING|MASTERDOWN|NOMASTERLINK)/

export class PrimaryLink implements ReplyHandler {
  state: LinkState = 'connect'
  /** Replication ID ('' where the primary has none) and offset. */
  id = ''
  offset = 0
  /** A partial resynchronisation: there is no snapshot. */
  continued = false
  private readonly connection: Connection
  private readonly system: ClientSystem
  private readonly options: LinkOptions
  private readonly target: LinkTarget
  private readonly payload: PayloadReader
  private readonly steps: Step[] = []
  private timer: Timer | undefined
  /** Bytes received while the target was loading. */
  private readonly buffered: Uint8Array[] = []

  constructor(system: ClientSystem, options: LinkOptions, target: LinkTarget) {
    this.system = system
    this.options = options
    this.target = target
    this.payload = new PayloadReader(target)
    const { address, connectMs, silenceMs } = options
    this.connection = new Connection(
      system,
      { address, connectMs, silenceMs, limits: LIMITS },
      {
        ready: () => {
          this.target.reached?.('ping')
          this.send(PING)
        },
        closed: reason => this.ended(reason),
      },
    )
  }

  // ---- the handshake ----

  private get out(): CommandWriter {
    return this.connection.out
  }

  private send(...steps: readonly Step[]): void {
    for (const step of steps) {
      const words = step.words(this.options)
      if (words === undefined) continue
      writeWords(this.out, words)
      this.steps.push(step)
      this.connection.expect(1, this)
    }
    this.state = this.steps[0].name
    this.connection.flush()
  }

  /** ReplyHandler: of a step, or of PSYNC. */
  reply(value: Value): void {
    const step = this.steps.shift()
    if (step === undefined) return this.psyncAnswered(value)
    if (value instanceof ReplyError && !step.mayFail(value)) {
      const command = step.name === 'auth' ? 'AUTH' : 'PING'
      return this.connection.fail({ kind: 'refused', text: value.text, command })
    }
    if (step === PING) {
      this.target.reached?.('port')
      this.send(...INTRODUCTION)
    } else if (this.steps.length > 0) this.state = this.steps[0].name
    else this.askForStream()
  }

  private askForStream(): void {
    const { from, failover } = this.options
    this.state = 'psync'
    this.target.reached?.('psync')
    const words = from === undefined ? ['PSYNC', '?', '-1'] : ['PSYNC', from.id, String(from.offset + 1)]
    if (failover === true) words.push('FAILOVER')
    writeWords(this.out, words)
    this.connection.expect(1, this)
    this.connection.flush()
  }

  private psyncAnswered(value: Value): void {
    const [word, id = '', offset = ''] = textOf(value).split(' ')
    const { from } = this.options
    const text = value instanceof ReplyError ? value.text : ''
    if (PSYNC_REFUSED.test(text) || (text !== '' && this.options.failover === true))
      return this.connection.fail({ kind: 'noReplica', text })
    this.state = 'payload'
    if (word === 'CONTINUE' && from !== undefined) {
      this.id = id === '' ? from.id : id
      this.offset = from.offset
      this.continued = true
      this.state = 'stream'
    } else if (word === 'FULLRESYNC' && id !== '' && /^\d+$/.test(offset)) {
      this.id = id
      this.offset = Number(offset)
    } else {
      this.target.refusedPsync?.(text === '' ? textOf(value) : text)
      this.out.plain('SYNC\r\n')
    }
    this.timer = this.system.timers.every(ACK_MS, () => this.keepAlive())
    this.target.opened(this)
    this.connection.takeOver(bytes => this.received(bytes))
    this.connection.flush()
  }

  /** ReplyHandler: ended() handles it. */
  closed(): void {}

  // ---- received data ----

  private received(bytes: Uint8Array): void {
    if (this.state === 'stream') return this.pass(bytes)
    if (this.state !== 'payload') {
      this.buffered.push(bytes)
      return
    }
    const { payload } = this
    const end = payload.take(bytes)
    if (payload.error !== '') return this.connection.fail({ kind: 'noReplica', text: payload.error })
    if (payload.state !== 'end' || this.state !== 'payload') return
    this.state = 'loading'
    if (end < bytes.length) this.buffered.push(bytes.subarray(end))
    this.connection.pause()
    this.target.rdbEnds(this)
  }

  /** The target has loaded the snapshot: the stream follows. */
  loaded(): void {
    if (this.state !== 'loading') return
    this.state = 'stream'
    // Also without PSYNC: the primary sends no stream before an ACK.
    this.acknowledge()
    for (let bytes = this.buffered.shift(); bytes !== undefined; bytes = this.buffered.shift()) this.pass(bytes)
    this.connection.resume()
  }

  private pass(bytes: Uint8Array): void {
    if (this.state !== 'stream') return
    this.offset += bytes.length
    this.target.stream(bytes)
  }

  private keepAlive(): void {
    if (this.state === 'stream' && this.id !== '') return this.acknowledge()
    this.out.plain('\n')
    this.connection.flush()
  }

  /** Sends REPLCONF ACK. */
  acknowledge(): void {
    if (this.state !== 'stream') return
    const { out, target } = this
    const synced = target.syncedOffset?.()
    out.count(synced === undefined ? 3 : 5)
    out.word('REPLCONF')
    out.word('ACK')
    out.integer(target.appliedOffset?.() ?? this.offset)
    if (synced !== undefined) {
      out.word('FACK')
      out.integer(synced)
    }
    this.connection.flush()
  }

  /** Stops and resumes reading while the payload comes. */
  pause(): void {
    this.connection.pause()
  }

  resume(): void {
    this.connection.resume()
  }

  /** Changes `silenceMs`. */
  setSilence(ms: number): void {
    this.connection.setSilence(ms)
  }

  get peer(): string {
    return this.connection.peer
  }

  get local(): string {
    return this.connection.local
  }

  // ---- closing ----

  close(): void {
    this.stop()
    this.connection.close()
  }

  private ended(reason: CloseReason): void {
    this.stop()
    this.target.closed(reason)
  }

  private stop(): void {
    this.state = 'closed'
    this.payload.state = 'end'
    this.buffered.length = 0
    if (this.timer !== undefined) this.system.timers.cancel(this.timer)
    this.timer = undefined
  }
}
