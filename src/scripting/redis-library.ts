// RedisLibrary: redis.call and redis.pcall. Arguments are written as bytes into a scratch buffer, the reply's bytes are
// converted to Lua values.
//
//   scratch  [ SET | key:1 | value | free … ]
//              ^args[0] ^args[1] ^args[2]            slices; each refers to the buffer it was written to
//
// Always: arguments are valid until the command returns. Commands do not call back into Lua, so one argument array is
// enough.

import { MINUS } from '../lib/ascii.ts'
import { writeLatin1 } from '../lib/bytes.ts'
import { formatAnyDouble } from '../lib/double.ts'
import { writeInt } from '../lib/number.ts'
import { Slice } from '../lib/slice.ts'
import { errorTable, errorText, ReplyConverter } from './convert-reply.ts'
import type { Heap } from './lua/table.ts'
import { LuaError, type LuaValue } from './lua/value.ts'
import type { Script } from './script-engine.ts'

const SCRATCH_BYTES = 16 * 1024
const SCRATCH_KEPT_MAX = 1 << 20
const INTEGER_BYTES = 24
/** Integers that end in this many zeros are written with an exponent. */
const EXPONENT_FROM = 1e8

export class RedisLibrary {
  /** The running script; undefined outside of one. */
  script: Script | undefined
  private readonly heap: Heap
  private readonly reader: ReplyConverter
  private u8 = new Uint8Array(SCRATCH_BYTES)
  private dv = new DataView(this.u8.buffer)
  private readonly args: Slice[] = []
  /** Some of args refer to an older, smaller scratch buffer. */
  private renewed = false

  constructor(heap: Heap) {
    this.heap = heap
    this.reader = new ReplyConverter(heap)
  }

  /** Runs a command. An error reply is thrown if `raises`, else returned as a table. */
  call(words: LuaValue[], raises: boolean): LuaValue {
    const script = this.script!
    const wrong = this.write(words)
    const { debugger: by } = script
    if (by !== undefined && wrong === undefined)
      by.logCommand(this.args.slice(0, words.length).map(arg => arg.latin1()))
    const refusal = wrong ?? script.command(this.args, words.length)
    if (refusal !== undefined) {
      const counted = this.wasSent
      by?.logError(refusal)
      const error = errorTable(this.heap, errorText(refusal), counted)
      if (raises) throw new LuaError(error)
      return error
    }
    const bytes = script.reply.u8
    const value = this.reader.read(bytes)
    by?.logReply(bytes)
    if (raises && bytes[0] === MINUS) throw new LuaError(value)
    return value
  }

  private wasSent = false

  /** Writes the words as args; returns an error message when they are invalid. */
  private write(words: LuaValue[]): string | undefined {
    this.wasSent = false
    const count = words.length
    if (count === 0) return 'Please specify at least one argument for this redis lib call'
    const { args } = this
    while (args.length < count) args.push(new Slice())
    let at = 0
    for (let i = 0; i < count; i++) {
      let word = words[i]
      if (typeof word === 'number') {
        if (Number.isSafeInteger(word) && (word % EXPONENT_FROM !== 0 || Object.is(word, 0))) {
          if (at + INTEGER_BYTES > this.u8.length) at = this.renew(INTEGER_BYTES)
          const length = writeInt(this.u8, at, word)
          args[i].set(this.u8, this.dv, at, length)
          at += length
          continue
        }
        word = formatAnyDouble(word)
      }
      if (typeof word !== 'string') return 'Lua redis lib command arguments must be strings or integers'
      const length = word.length
      if (at + length > this.u8.length) at = this.renew(length)
      writeLatin1(this.u8, at, word)
      args[i].set(this.u8, this.dv, at, length)
      at += length
    }
    this.wasSent = true
    return undefined
  }

  /** Replaces the scratch buffer by a larger one; slices still refer to the old one. */
  private renew(bytes: number): number {
    this.renewed = true
    this.u8 = new Uint8Array(Math.max(SCRATCH_BYTES, bytes * 2))
    this.dv = new DataView(this.u8.buffer)
    return 0
  }

  /** After a script: releases large buffers. */
  release(): void {
    this.script = undefined
    if (!this.renewed) return
    if (this.u8.length > SCRATCH_KEPT_MAX) this.renew(0)
    for (const arg of this.args) arg.set(this.u8, this.dv, 0, 0)
    this.renewed = false
  }

  /** redis.acl_check_cmd: whether the caller may run the command; throws for an unknown one. */
  mayRun(words: LuaValue[]): boolean {
    const wrong = this.write(words)
    if (wrong !== undefined) throw new LuaError(errorTable(this.heap, errorText(wrong)))
    const may = this.script!.mayRun(this.args, words.length)
    if (may === undefined)
      throw new LuaError(errorTable(this.heap, errorText('Invalid command passed to redis.acl_check_cmd()')))
    return may
  }
}
