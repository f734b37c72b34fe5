// The libraries of redis-server's scripts besides Lua's own: cjson, struct, cmsgpack and bit.

import type { LuaState } from '../lua/state.ts'
import { openBit } from './bit.ts'
import { openCjson } from './cjson.ts'
import { openCmsgpack } from './cmsgpack.ts'
import { openStruct } from './struct.ts'

export function openRedisLibraries(S: LuaState): void {
  openCjson(S)
  openStruct(S)
  openCmsgpack(S)
  openBit(S)
}
