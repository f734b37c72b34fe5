// ServerCaller: runs commands for the program, as a client of its own that no other sees and no gate judges.
//
// Always: a call is whole: what it changed is propagated and blocked clients are served when it returns. look() is for
// commands that only read, and leaves no trace in statistics.

import type { TableEntry } from '../engine/catalog/table.ts'
import type { Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { callingClient } from '../engine/nowhere.ts'
import { OwnReply } from '../engine/own-reply.ts'
import type { Slice } from '../lib/slice.ts'
import { sliceOf } from '../modules/values.ts'
import { ReplyError, type Value } from '../protocol/value.ts'
import type { Word } from './arguments.ts'

export class ServerCaller {
  private readonly engine: Engine
  private readonly client: Client
  private readonly reply: OwnReply

  constructor(engine: Engine) {
    this.engine = engine
    this.reply = new OwnReply(engine.ctx)
    this.client = callingClient(engine)
  }

  /** The reply; throws an Error for one that is an error. */
  call(database: number, ...words: readonly Word[]): Value {
    const { engine } = this
    engine.tick()
    engine.dispatch.beginPropagationUnit()
    try {
      return this.run(database, words, (entry, args) => engine.dispatch.call(this.client, entry, args, args.length))
    } finally {
      engine.dispatch.endPropagationUnit()
      engine.serveBlockedAndFlush()
      engine.output.flushAll()
    }
  }

  /** As call(), for commands that read. */
  look(database: number, ...words: readonly Word[]): Value {
    const { engine } = this
    const { keyspace, ctx } = engine
    const { hits, misses } = keyspace
    engine.tick()
    keyspace.clientNoTouch = true
    try {
      return this.run(database, words, (entry, args) => {
        ctx.enter(this.client, entry, args, args.length)
        entry.run(ctx)
      })
    } finally {
      keyspace.clientNoTouch = false
      keyspace.hits = hits
      keyspace.misses = misses
    }
  }

  private run(database: number, words: readonly Word[], execute: (entry: TableEntry, args: Slice[]) => void): Value {
    const { engine } = this
    const args = words.map(sliceOf)
    const entry = engine.table.resolve(args, args.length)
    if (entry === undefined || !entry.takes(args.length)) throw new Error(`not a command: ${words.join(' ')}`)
    this.client.db = engine.keyspace.databases[database]
    const value = this.reply.of(() => execute(entry, args))
    if (value instanceof ReplyError) throw new Error(value.text)
    return value
  }
}
