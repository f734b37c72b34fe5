// load and loadstring: compile source text at run time. Binary chunks are refused.

// biome-ignore-all lint/complexity/noArguments: Lua tells a missing argument from nil, and a rest array for every
// call would cost

import { cText } from '../../../lib/text.ts'
import { compile, instantiate } from '../compile.ts'
import { formatNumber } from '../number.ts'
import * as operations from '../operations.ts'
import { isWrongAlready } from '../parser.ts'
import type { LuaState } from '../state.ts'
import { first, type LuaFunction, type LuaResult, type LuaValue } from '../value.ts'
import { functionArgument, stringArgument } from './arguments.ts'
import { handled } from './protected.ts'

/** So much of a source in pieces is parsed before it is whole: a factor, and bytes in any case. */
const REPARSED_TIMES = 4
const REPARSED_BYTES = 64 * 1024

export const OPERATIONS = Object.freeze({ ...operations })

export function loadFunctions(S: LuaState): Record<string, LuaFunction> {
  return {
    loadstring: S.plain(function (this: LuaFunction, source, name) {
      const text = stringArgument(S, source, 1, arguments.length)
      return loadText(S, text, name === undefined ? text : stringArgument(S, name, 2, arguments.length))
    }),
    load: S.running(function (this: LuaFunction, reader, name) {
      const chunkName = name === undefined ? '=(load)' : stringArgument(S, name, 2, arguments.length)
      return loadPieces(S, this, functionArgument(S, reader, 1, arguments.length), chunkName)
    }),
  }
}

/** The function, or nil and the message. */
function loadText(S: LuaState, source: string, name: string): LuaResult {
  try {
    const prototype = compile(source, cText(name), S.cCalls)
    return instantiate(prototype, S, OPERATIONS, S.thread.env)
  } catch (e) {
    return [undefined, S.caught(e).value]
  }
}

function* loadPieces(
  S: LuaState,
  self: LuaFunction,
  reader: LuaFunction,
  name: string,
): Generator<number, LuaResult, unknown> {
  const { depth, site, cCalls } = S
  let source = ''
  let parsed = 0
  S.enter(self)
  try {
    for (let count = 1; ; count++) {
      const piece: LuaValue = first(yield* operations.callMetamethod(S, reader, []))
      if (piece === undefined || piece === '') {
        // Lua reads the first character twice: once for the kind of chunk, once to parse.
        if (count > 1) break
      } else if (typeof piece === 'number') source += formatNumber(piece)
      else if (typeof piece === 'string') source = operations.limited(S, source + piece)
      else throw S.error('reader function must return a string', 2)
      // Lua asks for a piece when it parses that far: after an error it asks for no more.
      if (parsed > source.length * REPARSED_TIMES + REPARSED_BYTES) continue
      parsed += source.length
      if (isWrongAlready(source, cText(name), cCalls)) break
    }
  } catch (e) {
    const value = yield* handled(S, e)
    S.depth = depth
    S.site = site
    S.cCalls = cCalls
    return [undefined, value]
  }
  S.leave()
  return loadText(S, source, name)
}
