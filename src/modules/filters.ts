// ModuleFilters: functions of modules that see each command of a client first, and may refuse or rewrite it, and others
// that see its reply, and may replace it.
//
//   parsed command ─▶ filter ─▶ filter ─▶ lookup, gates, run ─▶ reply ─▶ filter of replies
//   call of a script or a module ─▶ filters that want calls ─▶ lookup, gates, run
//
// Always: without filters dispatch has none, and scripts and modules call unjudged. A filter's calls are not filtered.

import type { Client } from '../engine/client.ts'
import { isSubscription } from '../engine/dispatch.ts'
import type { Engine } from '../engine/engine.ts'
import type { Slice } from '../lib/slice.ts'
import { oneLine } from '../lib/text.ts'
import { isUnwind } from '../lib/unwind.ts'
import { errorBytes } from '../protocol/reply.ts'
import { ReplyReader } from '../protocol/reply-reader.ts'
import { ReplyError, type Value } from '../protocol/value.ts'
import type { CallLock } from './call-lock.ts'
import { clientFacts } from './client-facts.ts'
import {
  type CallReply,
  type CommandFilter,
  type FilteredCommand,
  type FilterOptions,
  isCommandError,
  type RepliedCommand,
  type ReplyFilter,
} from './definition.ts'
import { logThrown } from './harmless.ts'
import { byteText, checkValue, plain, sliceOf, writeValue } from './values.ts'

interface Filter {
  readonly judge: CommandFilter
  readonly ofCalls: boolean
}

export class ModuleFilters {
  private readonly engine: Engine
  private filters: readonly Filter[] = []
  private ofReplies: readonly ReplyFilter[] = []
  /** The command that is running, as filters of replies see it. */
  private words: readonly Uint8Array[] = []
  private isJudging = false
  private readonly lock: CallLock

  constructor(engine: Engine, lock: CallLock) {
    this.engine = engine
    this.lock = lock
  }

  add(filter: CommandFilter, { calls: ofCalls = false }: FilterOptions = {}): () => void {
    if (typeof filter !== 'function') throw new TypeError('a filter is a function')
    const own: Filter = { judge: command => filter(command), ofCalls }
    this.filters = [...this.filters, own]
    this.hook()
    return () => {
      this.filters = this.filters.filter(one => one !== own)
      this.hook()
    }
  }

  addOfReplies(filter: ReplyFilter): () => void {
    if (typeof filter !== 'function') throw new TypeError('a filter is a function')
    const own: ReplyFilter = command => filter(command)
    this.ofReplies = [...this.ofReplies, own]
    this.hook()
    return () => {
      this.ofReplies = this.ofReplies.filter(one => one !== own)
      this.hook()
    }
  }

  private hook(): void {
    const { filters, ofReplies } = this
    const calls = filters.filter(one => one.ofCalls)
    const isUsed = filters.length + ofReplies.length > 0
    this.engine.dispatch.filters = isUsed
      ? {
          judge: (...command) => this.judge(filters, 'client', ...command),
          judgeCall: calls.length === 0 ? undefined : (origin, ...command) => this.judge(calls, origin, ...command),
          judgeReply: ofReplies.length === 0 ? undefined : (client, from) => this.judgeReply(client, from),
        }
      : undefined
  }

  private judge(
    filters: readonly Filter[],
    origin: FilteredCommand['origin'],
    client: Client,
    args: Slice[],
    argc: number,
  ): Uint8Array | Slice[] | undefined {
    if (this.isJudging) return undefined
    let words: readonly Uint8Array[] = args.slice(0, argc).map(one => one.copy().view())
    let isOther = false
    const by = clientFacts(client)
    this.isJudging = true
    try {
      for (const { judge } of filters) {
        const rewritten = this.safely('A command filter', () =>
          judge({ args: words, client: by, origin })?.map(word => sliceOf(word).view()),
        )
        if (rewritten instanceof Error) return errorOf(rewritten)
        if (rewritten === undefined || rewritten.length === 0) continue
        words = rewritten
        isOther = true
      }
    } finally {
      this.isJudging = false
      if (origin === 'client') this.words = words
    }
    return isOther ? words.map(sliceOf) : undefined
  }

  /** What a filter returns, or the CommandError that it throws; what else it throws is logged. */
  private safely<Result>(what: string, work: () => Result): Result | Error | undefined {
    try {
      return this.lock.run(work)
    } catch (error) {
      if (isUnwind(error)) throw error
      if (isCommandError(error)) return error
      logThrown(this.engine, what, error)
      return undefined
    }
  }

  /** The reply of the running command is in the buffer from `from` on; messages to the same client may follow it. */
  private judgeReply(client: Client, from: number): void {
    const { engine, words, ofReplies } = this
    if (client.lastCommand !== undefined && isSubscription(client.lastCommand)) return
    const { reply } = engine
    let shown = new ShownReply(words, client, reply.u8.slice(from, reply.pos))
    for (const filter of ofReplies) {
      this.isJudging = true
      const other = this.safely('A filter of replies', () => {
        const value = filter(shown)
        if (value !== undefined) checkValue(value)
        return value
      })
      this.isJudging = false
      if (other === undefined) continue
      reply.pos = from
      if (other instanceof Error) reply.fixedError(errorOf(other))
      else writeValue(reply, other)
      reply.raw(sliceOf(shown.following))
      shown = new ShownReply(words, client, reply.u8.slice(from, reply.pos))
    }
  }
}

function errorOf(error: Error): Uint8Array {
  return errorBytes(oneLine(byteText(error.message)))
}

/** A reply as it is written; read when it is asked for. */
class ShownReply implements RepliedCommand {
  readonly args: readonly Uint8Array[]
  private readonly sender: Client
  private readonly written: Uint8Array
  private value: Value | undefined
  private length = 0

  constructor(args: readonly Uint8Array[], sender: Client, written: Uint8Array) {
    this.args = args
    this.sender = sender
    this.written = written
  }

  get client(): FilteredCommand['client'] {
    return clientFacts(this.sender)
  }

  private read(): Value {
    if (this.value === undefined) {
      const reader = new ReplyReader()
      reader.feed(this.written)
      this.value = reader.next() as Value
      this.length = reader.consumed
    }
    return this.value
  }

  get reply(): CallReply {
    return plain(this.read(), false)
  }

  get bytes(): CallReply {
    return plain(this.read(), true)
  }

  get error(): string | undefined {
    const value = this.read()
    return value instanceof ReplyError ? value.text : undefined
  }

  /** What is behind the reply: messages. */
  get following(): Uint8Array {
    this.read()
    return this.written.subarray(this.length)
  }
}
