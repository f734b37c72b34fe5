// The cjson library: encodes and decodes JSON. A table is an array when all its keys are positive integers, otherwise,
// and when it is empty, an object; null is one userdata for all cjson tables of a state.

import type { LuaState } from '../lua/state.ts'
import { register, stringArgument } from '../lua/stdlib/arguments.ts'
import { LuaTable } from '../lua/table.ts'
import { LuaUserdata, type LuaValue } from '../lua/value.ts'
import { configFunctions, defaultConfig } from './cjson-config.ts'
import { JsonDecoder } from './cjson-decode.ts'
import { JsonEncoder } from './cjson-encode.ts'

export function openCjson(S: LuaState): void {
  S.globals.set('cjson', cjsonTable(S, new LuaUserdata(true)))
}

function cjsonTable(S: LuaState, nullValue: LuaUserdata): LuaTable {
  const config = defaultConfig()
  const one = (args: LuaValue[]): LuaValue => {
    if (args.length !== 1) throw S.argumentError(1, 'expected 1 argument')
    return args[0]
  }
  const library = new LuaTable(S)
  register(library, {
    encode: S.plain((...args: LuaValue[]) => {
      const text = new JsonEncoder(S, config, nullValue).encode(one(args))
      S.budget -= text.length >>> 6
      return text
    }),
    decode: S.plain((...args: LuaValue[]) => {
      const text = stringArgument(S, one(args), 1, args.length)
      S.budget -= text.length >>> 6
      return new JsonDecoder(S, config, nullValue, text).decode()
    }),
    ...configFunctions(S, config),
    new: S.plain(() => cjsonTable(S, nullValue)),
  })
  library.set('null', nullValue)
  library.set('_NAME', 'cjson')
  library.set('_VERSION', '2.1.0')
  return library
}
