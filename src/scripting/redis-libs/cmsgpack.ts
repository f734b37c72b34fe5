// The cmsgpack library: encodes and decodes MessagePack. Several values are concatenated in one string.

import type { LuaState } from '../lua/state.ts'
import { C_STACK_MAX } from '../lua/state.ts'
import { integerArgument, register, stringArgument, toInt } from '../lua/stdlib/arguments.ts'
import { LuaTable } from '../lua/table.ts'
import { type LuaResult, type LuaValue, NOTHING } from '../lua/value.ts'
import { MessageDecoder } from './cmsgpack-decode.ts'
import { packed } from './cmsgpack-encode.ts'

export function openCmsgpack(S: LuaState): void {
  const library = new LuaTable(S)
  S.globals.set('cmsgpack', library)
  const offsetOf = (args: LuaValue[], n: number) =>
    args[n - 1] === undefined ? 0 : integerArgument(S, args[n - 1], n, args.length)
  register(library, {
    pack: S.plain((...args: LuaValue[]) => {
      if (args.length === 0) throw S.argumentError(0, 'MessagePack pack needs input.')
      if (args.length * 2 > C_STACK_MAX) throw S.argumentError(0, 'Too many arguments for MessagePack pack.')
      let out = ''
      for (const value of args) out += packed(value, 0)
      S.budget -= out.length >>> 6
      return out
    }),
    unpack: S.plain((...args: LuaValue[]) => unpack(S, args, args.length, 0, 0)),
    unpack_one: S.plain((...args: LuaValue[]) => {
      const offset = offsetOf(args, 2)
      return unpack(S, args, 1, 1, offset)
    }),
    unpack_limit: S.plain((...args: LuaValue[]) => {
      const limit = integerArgument(S, args[1], 2, args.length)
      return unpack(S, args, 1, limit, offsetOf(args, 3))
    }),
  })
  library.set('_NAME', 'cmsgpack')
  library.set('_VERSION', 'lua-cmsgpack 0.4.0')
  library.set('_COPYRIGHT', 'Copyright (C) 2012, Salvatore Sanfilippo')
  library.set('_DESCRIPTION', 'MessagePack C implementation for Lua')
}

/** All values; with a limit or an offset, the next offset (-1 at the end) and at most `limit` values. */
function unpack(S: LuaState, args: LuaValue[], kept: number, limit: number, offset: number): LuaResult {
  const text = stringArgument(S, args[0], 1, args.length)
  if (offset < 0 || limit < 0)
    throw S.error(`Invalid request to unpack with offset of ${toInt(offset)} and limit of ${text.length}.`)
  if (offset > text.length) throw S.error(`Start offset ${toInt(offset)} greater than input length ${text.length}.`)
  S.budget -= (text.length - offset) >>> 6
  const isAll = limit === 0 && offset === 0
  const values: LuaValue[] = []
  const decoder = new MessageDecoder(S, text, offset)
  while (decoder.at < text.length && (isAll || values.length < limit)) values.push(decoder.next(kept + values.length))
  if (!isAll) values.unshift(decoder.at === text.length ? -1 : decoder.at)
  return values.length === 0 ? NOTHING : values
}
