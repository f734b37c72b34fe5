// ReplicaLink: what a replica hears: the dataset of one moment as an RDB file, then every change as it happens. How
// Redis says it: https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
//
//   GREETING ─▶ HEADER ─▶ RDB ─▶ STREAM          FULLRESYNC, or the old SYNC
//       └────────────────────▶ STREAM            CONTINUE: the server still has what we missed
//
//   payload   $<bytes>\r\n … or $EOF:<40 bytes>\r\n … <the same 40 bytes>
//
// Always: bytes are handed on in order, before the next ones are taken; `offset` counts the stream as the server does.

import type { ServerUrl } from '../../client/url.ts'
import type { Dial } from '../../net/dial.ts'
import type { Timers } from '../../system/system.ts'
import { ToolError } from '../command-line.ts'
import { type LinkLost, Remote } from './remote.ts'
import { ReplyError } from './replies.ts'

const MARK_BYTES = 40
const ACK_MS = 1000
const LINE_BYTES_MAX = 1024
const LF = 10

/** Who gets what comes. Called synchronously; may throw, which ends the link. */
export interface LinkTarget {
  /** Before anything comes: all of a dataset may come at once. */
  opened?(link: ReplicaLink): void
  /** An RDB file begins: of so many bytes, or (-1) of unknown length. */
  rdbBegins(bytes: number): void
  rdb(bytes: Uint8Array): void
  /** The file is whole: the last `surplus` bytes that were handed over do not belong to it. */
  rdbEnds(surplus: number): void
  stream(bytes: Uint8Array): void
}

/** The server does not let us be a replica. */
export class LinkRefused extends ToolError {}

export interface LinkOptions {
  url: ServerUrl
  dial: Dial
  timers: Timers
  target: LinkTarget
  /** Go on behind this; absent: all from the beginning. */
  from?: { id: string; offset: number }
  /** Only the RDB file is wanted. */
  rdbOnly?: boolean
}

export class ReplicaLink {
  /** The stream's name and how many bytes of it were taken; '' when the server has no PSYNC. */
  id = ''
  offset = 0
  /** The server goes on where it was asked to. */
  continued = false
  private readonly remote: Remote
  private readonly target: LinkTarget
  private readonly timers: Timers
  private timer: ReturnType<Timers['every']> | undefined
  private state: 'header' | 'rdb' | 'stream' = 'header'
  private line: number[] = []
  private left = 0
  private mark: Uint8Array | undefined
  private readonly tail = new Uint8Array(MARK_BYTES)
  private failure: Error | undefined
  private ended = false
  /** The link ended: why. */
  onEnd: (error: Error) => void = () => {}

  private constructor(remote: Remote, options: LinkOptions) {
    this.remote = remote
    this.target = options.target
    this.timers = options.timers
  }

  /** Asks for everything, or for what comes behind `from`. Throws LinkRefused, LinkLost, ToolError. */
  static async open(options: LinkOptions): Promise<ReplicaLink> {
    const remote = await Remote.open(options.url, options.dial)
    const link = new ReplicaLink(remote, options)
    try {
      await link.greet(options)
    } catch (error) {
      remote.close()
      throw error
    }
    return link
  }

  private async greet({ from, rdbOnly }: LinkOptions): Promise<void> {
    const { remote } = this
    await remote.try('REPLCONF', 'listening-port', 0)
    await remote.try('REPLCONF', 'capa', 'eof', 'capa', 'psync2')
    if (rdbOnly === true) await remote.try('REPLCONF', 'rdb-only', 1)
    const asked = from === undefined ? remote.try('PSYNC', '?', '-1') : remote.try('PSYNC', from.id, from.offset + 1)
    remote.onLost = error => this.end(error)
    remote.takeOver(bytes => this.take(bytes))
    const reply = await asked
    if (typeof reply === 'string' && reply.startsWith('CONTINUE') && from !== undefined) {
      this.id = reply.split(' ')[1] ?? from.id
      this.offset = from.offset
      this.continued = true
      this.state = 'stream'
    } else if (typeof reply === 'string' && reply.startsWith('FULLRESYNC')) {
      const [, id, offset] = reply.split(' ')
      this.id = id
      this.offset = Number(offset)
    } else {
      // What an old server has, or one that will have nothing to do with replicas.
      const text = reply instanceof ReplyError ? reply.text : ''
      if (/^(NOPERM|NOAUTH|LOADING|MASTERDOWN|NOMASTERLINK)/.test(text)) throw new LinkRefused(text)
      remote.sendRaw(new TextEncoder().encode('SYNC\r\n'))
    }
    this.timer = this.timers.every(ACK_MS, () => this.acknowledge())
    this.target.opened?.(this)
    this.ready = true
    for (const bytes of this.held.splice(0)) this.take(bytes)
  }

  private ready = false
  /** What came before it was known how to take it. */
  private readonly held: Uint8Array[] = []

  /** Tells the server how far we are: it closes the connection of a replica that is silent. */
  acknowledge(): void {
    if (this.state === 'stream' && this.id !== '') this.remote.send('REPLCONF', 'ACK', this.offset)
    else this.remote.sendRaw(Uint8Array.of(LF))
  }

  private take(bytes: Uint8Array): void {
    if (this.ended) return
    if (!this.ready) {
      this.held.push(bytes)
      return
    }
    try {
      let at = 0
      while (at < bytes.length && !this.ended) {
        if (this.state === 'header') at = this.header(bytes, at)
        else if (this.state === 'rdb') at = this.rdb(bytes, at)
        else {
          this.offset += bytes.length - at
          this.target.stream(at === 0 ? bytes : bytes.subarray(at))
          return
        }
      }
    } catch (error) {
      this.end(error as Error)
    }
  }

  private header(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      if (bytes[at] !== LF) {
        this.line.push(bytes[at])
        if (this.line.length > LINE_BYTES_MAX) throw new LinkRefused('the server sends no dataset')
        continue
      }
      const line = String.fromCharCode(...this.line).replace(/\r$/, '')
      this.line = []
      // An empty line says: have patience.
      if (line !== '') this.begin(line)
      return at + 1
    }
    return bytes.length
  }

  private begin(line: string): void {
    if (line.startsWith('-')) throw new LinkRefused(line.slice(1))
    if (!line.startsWith('$')) throw new LinkRefused(`the server sends no dataset but ${line}`)
    this.state = 'rdb'
    if (line.startsWith('$EOF:')) {
      this.mark = new TextEncoder().encode(line.slice(5))
      if (this.mark.length !== MARK_BYTES) throw new LinkRefused(`the server sends no dataset but ${line}`)
      return this.target.rdbBegins(-1)
    }
    this.mark = undefined
    this.left = Number(line.slice(1))
    this.target.rdbBegins(this.left)
  }

  private rdb(bytes: Uint8Array, at: number): number {
    if (this.mark === undefined) {
      const take = Math.min(this.left, bytes.length - at)
      this.left -= take
      if (take > 0) this.target.rdb(bytes.subarray(at, at + take))
      if (this.left === 0) this.rdbEnds(0)
      return at + take
    }
    // Nothing follows the mark before we have said that we saw it, so it ends what came.
    const piece = bytes.subarray(at)
    this.target.rdb(piece)
    if (piece.length >= MARK_BYTES) this.tail.set(piece.subarray(piece.length - MARK_BYTES))
    else {
      this.tail.copyWithin(0, piece.length)
      this.tail.set(piece, MARK_BYTES - piece.length)
    }
    if (this.tail.every((byte, i) => byte === this.mark![i])) this.rdbEnds(MARK_BYTES)
    return bytes.length
  }

  private rdbEnds(surplus: number): void {
    this.state = 'stream'
    this.target.rdbEnds(surplus)
    // Also without PSYNC: the stream waits for it.
    this.remote.send('REPLCONF', 'ACK', this.offset)
  }

  private end(error: Error | LinkLost): void {
    if (this.ended) return
    this.ended = true
    this.failure = error
    this.stop()
    this.onEnd(error)
  }

  /** Why the link ended; undefined while it lasts. */
  get error(): Error | undefined {
    return this.failure
  }

  close(): void {
    this.ended = true
    this.stop()
  }

  private stop(): void {
    if (this.timer !== undefined) this.timers.cancel(this.timer)
    this.remote.close()
  }
}
