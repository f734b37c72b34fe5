// StreamApplier: applies the source's replication stream to the target, in order.
//
//   stream ─▶ commands ─▶ MULTI │ SELECT n │ changes … │ SELECT 0 │ SET marker │ EXEC ─▶ target
//
// Always: a batch has whole transactions of the source; marker and changes are applied together or not at all, so that
// nothing is applied twice after a lost link.

import type { Remote } from '../../client/remote.ts'
import { CommandWriter } from '../../protocol/command-writer.ts'
import { ReplyReader } from '../../protocol/reply-reader.ts'
import { type Push, ReplyError, textOf, type Value } from '../../protocol/value.ts'
import { ToolError } from '../command-line.ts'
import { MARKER } from './migration-state.ts'
import type { Spool } from './spool.ts'
import { refusal } from './target-writer.ts'

const READ_BYTES = 256 << 10
const BATCH_COMMANDS = 500
/** Commands without data: of the link, and messages. */
const LEFT_OUT = new Set(['PING', 'REPLCONF', 'PUBLISH', 'SPUBLISH', 'MULTI', 'EXEC'])

export class StreamApplier {
  /** Offset of the stream up to which the target has it. */
  applied: number
  changes = 0
  /** Changes refused by the target, and the first refusal. */
  refused = 0
  refusal = ''
  private readonly remote: Remote
  private readonly spool: Spool
  private readonly id: string
  private readonly reader = new ReplyReader()
  private readonly buffer = new Uint8Array(READ_BYTES)
  private readonly out = new CommandWriter()
  private database: string
  private readAt: number
  private parsedTo: number
  private inTransaction = false
  /** Of the batch being built; -1: there is none. */
  private commands = -1
  private readonly start: number

  constructor(remote: Remote, spool: Spool, id: string, from: { offset: number; database: string }) {
    this.remote = remote
    this.spool = spool
    this.id = id
    this.applied = this.readAt = this.parsedTo = this.start = from.offset
    this.database = from.database
  }

  /** The offset stored in the target; undefined: it has none of this stream. */
  static async position(remote: Remote, id: string): Promise<{ offset: number; database: string } | undefined> {
    await remote.call('SELECT', 0)
    const [name, offset, database] = textOf(await remote.call('GET', MARKER)).split(' ')
    return name === `id=${id}` ? { offset: Number(offset), database } : undefined
  }

  static async mark(remote: Remote, id: string, offset: number): Promise<void> {
    await remote.call('SELECT', 0)
    await remote.call('SET', MARKER, `id=${id} ${offset} 0`)
  }

  /** Applies some of the data received; false: nothing complete is left. Throws ToolError and ClientErrors. */
  async step(): Promise<boolean> {
    if (this.commands < 0) {
      this.commands = 0
      this.out.count(1)
      this.out.word('MULTI')
      this.select(this.database)
    }
    while (this.commands < BATCH_COMMANDS || this.inTransaction) {
      const command = this.next()
      if (command === undefined) break
      this.take(command)
    }
    // An incomplete transaction waits, with the commands before it, for the rest.
    if (this.inTransaction || this.parsedTo === this.applied) return false
    const { commands } = this
    this.commands = -1
    await this.send(commands)
    return true
  }

  private next(): Value | Push | undefined {
    for (;;) {
      const value = this.reader.next()
      if (value !== undefined) return value
      const bytes = this.spool.read(this.readAt, this.buffer)
      if (bytes === 0) return undefined
      this.readAt += bytes
      this.reader.feed(this.buffer.subarray(0, bytes))
    }
  }

  /** Adds a command to the batch. */
  private take(command: Value | Push): void {
    this.parsedTo = this.start + this.reader.consumed
    if (!isCommand(command)) throw new ToolError('the source sends what is no command')
    const name = textOf(command[0]).toUpperCase()
    if (name === 'MULTI') this.inTransaction = true
    else if (name === 'EXEC') this.inTransaction = false
    if (LEFT_OUT.has(name)) return
    if (name === 'SELECT') this.database = textOf(command[1])
    else this.changes++
    this.out.count(command.length)
    for (const word of command) this.out.bytes(word)
    this.commands++
  }

  private select(database: string): void {
    this.out.count(2)
    this.out.word('SELECT')
    this.out.word(database)
  }

  private async send(commands: number): Promise<void> {
    const { out, parsedTo } = this
    this.select('0')
    out.count(3)
    out.word('SET')
    out.word(MARKER)
    out.word(`id=${this.id} ${parsedTo} ${this.database}`)
    out.count(1)
    out.word('EXEC')
    const replies = await this.remote.batch(out, commands + 5)
    const results = replies[replies.length - 1]
    if (!Array.isArray(results)) throw this.aborted(replies)
    for (const result of results) {
      if (!(result instanceof ReplyError)) continue
      if (this.refused++ === 0) this.refusal = result.text
    }
    this.applied = parsedTo
  }

  private aborted(replies: readonly Value[]): ToolError {
    const errors = replies.filter(reply => reply instanceof ReplyError)
    const error = errors.find(one => !one.text.startsWith('EXECABORT')) ?? errors[0]
    return refusal(this.remote, error ?? new ReplyError('no reason given'))
  }
}

function isCommand(value: Value | Push): value is Uint8Array[] {
  return Array.isArray(value) && value.length > 0 && value.every(word => word instanceof Uint8Array)
}
