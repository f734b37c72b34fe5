// TargetWriter: writes keys to a running server with pipelined batches.
//
//   put ─▶ RESTORE … RESTORE ─▶ replies ─┬─ OK
//                                        ├─ BUSYKEY: the key exists and is not replaced
//                                        ├─ payload rejected ─▶ the same value in plain write commands
//                                        └─ any other error ends the work: out of memory, no permission
//
// Always: at most BATCHES_MAX batches are pending; an error of one batch is thrown by the next ready() or finish().

import type { Remote } from '../../client/remote.ts'
import { Slice } from '../../lib/slice.ts'
import { CommandWriter } from '../../protocol/command-writer.ts'
import { firstError, ReplyError } from '../../protocol/value.ts'
import { ToolError } from '../command-line.ts'
import type { ScratchKeyspace } from './scratch-keyspace.ts'

const BATCH_BYTES = 128 << 10
const BATCH_KEYS = 500
const BATCHES_MAX = 4

interface NewKey {
  database: number
  key: Uint8Array
  payload: Uint8Array
  /** Milliseconds since 1970, or -1. */
  expiryMs: number
  /** Seconds, or -1. */
  idleSeconds: number
  /** LFU counter, or -1. */
  frequency: number
}

const NOT_UNDERSTOOD = /payload version|Bad data format|unknown command|too big|invalid bulk length/i

export class TargetWriter {
  restored = 0
  /** Keys that existed and were not replaced. */
  existing = 0
  /** How many of the restored keys needed plain commands. */
  asCommands = 0
  private readonly remote: Remote
  private readonly scratch: ScratchKeyspace
  private readonly replace: boolean
  private readonly out = new CommandWriter()
  /** The key of each command in the buffer; undefined: a SELECT. */
  private batch: (NewKey | undefined)[] = []
  private readonly underWay: Promise<void>[] = []
  private database = -1
  /** The database selected by the last batch. */
  private sentDatabase = 0
  private failure: Error | undefined

  constructor(remote: Remote, scratch: ScratchKeyspace, replace: boolean) {
    this.remote = remote
    this.scratch = scratch
    this.replace = replace
  }

  /** The writer owns the bytes from now on. */
  put(item: NewKey): void {
    const { out } = this
    if (item.database !== this.database) {
      this.database = item.database
      this.select(out, item.database)
      this.batch.push(undefined)
    }
    const access = item.frequency >= 0 || item.idleSeconds >= 0
    out.count(5 + (this.replace ? 1 : 0) + (access ? 2 : 0))
    out.word('RESTORE')
    out.bytes(item.key)
    out.integer(Math.max(0, item.expiryMs))
    out.bytes(item.payload)
    out.word('ABSTTL')
    if (this.replace) out.word('REPLACE')
    if (access) {
      out.word(item.frequency >= 0 ? 'FREQ' : 'IDLETIME')
      out.integer(item.frequency >= 0 ? item.frequency : item.idleSeconds)
    }
    this.batch.push(item)
    if (out.len >= BATCH_BYTES || this.batch.length >= BATCH_KEYS) this.send()
  }

  private select(out: CommandWriter, database: number): void {
    out.count(2)
    out.word('SELECT')
    out.integer(database)
  }

  private send(): void {
    const { batch } = this
    if (batch.length === 0) return
    this.batch = []
    this.sentDatabase = this.database
    const one = this.run(batch).catch((error: Error) => {
      this.failure ??= error
    })
    this.underWay.push(one)
  }

  private async run(batch: readonly (NewKey | undefined)[]): Promise<void> {
    const replies = await this.remote.batch(this.out, batch.length)
    for (let i = 0; i < batch.length; i++) {
      const reply = replies[i]
      const item = batch[i]
      if (!(reply instanceof ReplyError)) {
        if (item !== undefined) this.restored++
      } else if (item === undefined) throw refusal(this.remote, reply)
      else if (reply.text.startsWith('BUSYKEY')) this.existing++
      else if (NOT_UNDERSTOOD.test(reply.text)) await this.say(item)
      else throw refusal(this.remote, reply)
    }
  }

  /** The value in commands that every version has, in one transaction. */
  private async say(item: NewKey): Promise<void> {
    const said = new CommandWriter()
    const key = new Slice(item.key, 0, item.key.length)
    this.select(said, item.database)
    said.count(1)
    said.word('MULTI')
    said.count(2)
    said.word(this.replace ? 'DEL' : 'EXISTS')
    said.argument(key)
    const commands = this.scratch.toCommands(item.key, item.payload, said)
    if (commands < 0) throw new ToolError(`the value of '${key.latin1()}' is damaged`)
    let more = 4
    if (item.expiryMs >= 0) {
      more++
      said.count(3)
      said.word('PEXPIREAT')
      said.argument(key)
      said.integer(item.expiryMs)
    }
    said.count(1)
    said.word('EXEC')
    if (!this.replace && (await this.exists(item.database, key))) {
      this.existing++
      return
    }
    this.select(said, this.sentDatabase)
    const replies = await this.remote.batch(said, commands + more + 1)
    const error = firstError(replies)
    if (error !== undefined) throw refusal(this.remote, error)
    this.restored++
    this.asCommands++
  }

  /** Between batches; later ones rely on the database selected before. */
  private async exists(database: number, key: Slice): Promise<boolean> {
    const asked = new CommandWriter()
    this.select(asked, database)
    asked.count(2)
    asked.word('EXISTS')
    asked.argument(key)
    this.select(asked, this.sentDatabase)
    const replies = await this.remote.batch(asked, 3)
    return replies[1] !== 0
  }

  /** Backpressure: a promise to await before the next put; undefined: continue. Throws errors of earlier batches. */
  ready(): Promise<void> | undefined {
    if (this.failure !== undefined) throw this.failure
    return this.underWay.length < BATCHES_MAX ? undefined : this.oldest()
  }

  private async oldest(): Promise<void> {
    while (this.underWay.length >= BATCHES_MAX) await this.underWay.shift()
    if (this.failure !== undefined) throw this.failure
  }

  /** Resolves when everything is written. Throws the first error. */
  async finish(): Promise<void> {
    this.send()
    while (this.underWay.length > 0) await this.underWay.shift()
    if (this.failure !== undefined) throw this.failure
  }
}

/** The message of an error that ends the work. */
export function refusal({ url }: Remote, { text }: ReplyError): ToolError {
  if (text.startsWith('OOM')) return new ToolError(`${url.text} is full (maxmemory): ${text}`)
  return new ToolError(`${url.text} refuses: ${text}`)
}
