// Converts the value returned by a script to a reply.
//
//   number    integer                    {err=s}   error      {map={...}}  map     {verbatim_string={format=, string=}}
//   string    bulk string                {ok=s}    status     {set={...}}  set     {double=n}  {big_number=s}
//   true      1, or RESP3's true         nil, function ...  null           {...}   array up to its first nil
//   false     null, or RESP3's false
//
// Always: tables are traversed with an explicit stack, as deep as Lua's C stack allows; metatables are ignored.

import { writeLatin1 } from '../lib/bytes.ts'
import { cText, oneLine, withoutLastBreaks } from '../lib/text.ts'
import type { Reply } from '../protocol/reply.ts'
import { LuaTable } from './lua/table.ts'
import type { LuaValue } from './lua/value.ts'

/** Slots of Lua's C stack; an array takes one, and a value needs four more. */
const DEPTH_MAX = 7995
const INT64_MIN = -(2n ** 63n)
const EMPTY_BYTES = new Uint8Array(0)

/** A table being written. */
interface Level {
  table: LuaTable
  kind: 'array' | 'map' | 'set'
  /** Index of the last element, or iteration position after the last key. */
  at: number
  /** Elements, or iteration steps, left. */
  left: number
  valueNext: boolean
}

export class ValueWriter {
  private bytes = EMPTY_BYTES
  private view = new DataView(EMPTY_BYTES.buffer)
  private readonly levels: Level[] = []
  private reply!: Reply
  private counted = 0
  /** The RESP version the script has set with redis.setresp. */
  private scriptResp = 2

  /** The number of errors written that are already in the statistics. */
  write(reply: Reply, value: LuaValue, scriptResp: number): number {
    this.reply = reply
    this.counted = 0
    this.scriptResp = scriptResp
    this.one(value)
    const levels = this.levels
    while (levels.length > 0) {
      const level = levels[levels.length - 1]
      if (level.left === 0) levels.pop()
      else this.one(this.next(level))
    }
    return this.counted
  }

  private next(level: Level): LuaValue {
    const { table } = level
    if (level.kind === 'array') {
      level.left--
      return table.getInt(++level.at)
    }
    if (level.valueNext) {
      level.valueNext = false
      level.left--
      return table.valueAt(level.at++)
    }
    level.at = table.positionOfValue(level.at)
    if (level.kind === 'map') level.valueNext = true
    else level.left--
    const key = table.keyAt(level.at)
    if (level.kind === 'set') level.at++
    return key
  }

  private one(value: LuaValue): void {
    const { reply } = this
    if (this.levels.length >= DEPTH_MAX) return reply.error('ERR reached lua stack limit')
    if (typeof value === 'string') this.text(value)
    else if (typeof value === 'number') writeInteger(reply, value)
    else if (typeof value === 'boolean') {
      if (this.scriptResp === 3) reply.boolean(value)
      else if (value) reply.integer(1)
      else reply.null()
    } else if (value instanceof LuaTable) this.table(value)
    else reply.null()
  }

  private text(text: string): void {
    const length = text.length
    if (length < 16) return this.reply.bulkText(text)
    if (length > this.bytes.length) {
      this.bytes = new Uint8Array(length * 2)
      this.view = new DataView(this.bytes.buffer)
    }
    writeLatin1(this.bytes, 0, text)
    this.reply.bulkAt(this.bytes, this.view, 0, length)
    if (length > 1 << 20) this.bytes = EMPTY_BYTES
  }

  private table(table: LuaTable): void {
    const { reply } = this
    const err = table.getName('err')
    if (typeof err === 'string') {
      const counted = table.getName('ignore_error_stats_update') === true
      if (counted) this.counted++
      return writeError(reply, cText(err), counted)
    }
    const ok = table.getName('ok')
    if (typeof ok === 'string') return reply.simple(oneLine(cText(ok)))
    const double = table.getName('double')
    if (typeof double === 'number') return reply.double(double)
    const bigNumber = table.getName('big_number')
    if (typeof bigNumber === 'string') return reply.bigNumber(oneLine(bigNumber))
    const verbatim = table.getName('verbatim_string')
    if (verbatim instanceof LuaTable) {
      const format = verbatim.getName('format')
      const text = verbatim.getName('string')
      if (typeof format === 'string' && typeof text === 'string')
        return reply.verbatim(threeLetters(format) as 'txt', text)
    }
    const map = table.getName('map')
    if (map instanceof LuaTable) return this.open(map, 'map')
    const set = table.getName('set')
    if (set instanceof LuaTable) return this.open(set, 'set')
    let count = 0
    while (table.getInt(count + 1) !== undefined) count++
    reply.array(count)
    if (count > 0) this.levels.push({ table, kind: 'array', at: 0, left: count, valueNext: false })
  }

  private open(table: LuaTable, kind: 'map' | 'set'): void {
    let count = 0
    for (let at = table.positionOfValue(0); at >= 0; at = table.positionOfValue(at + 1)) count++
    if (kind === 'map') this.reply.map(count)
    else this.reply.set(count)
    if (count > 0) this.levels.push({ table, kind, at: 0, left: count, valueNext: false })
  }
}

/** C's conversion of a double to a 64-bit integer. */
function writeInteger(reply: Reply, n: number): void {
  const whole = Math.trunc(n)
  if (Number.isSafeInteger(whole)) reply.integer(whole === 0 ? 0 : whole)
  else if (whole >= -(2 ** 63) && whole < 2 ** 63) reply.bigint(BigInt(whole))
  else reply.bigint(INT64_MIN)
}

/** `counted`: the error is already in the statistics. */
function writeError(reply: Reply, text: string, counted: boolean): void {
  reply.error(oneLine(withoutLastBreaks(text)))
  if (counted) reply.errors--
}

function threeLetters(format: string): string {
  return format.slice(0, 3).padEnd(3, ' ')
}
