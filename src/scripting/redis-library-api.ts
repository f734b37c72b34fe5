// The `redis` table of scripts, of functions, and of library code while it is loaded.

import { PROPAGATE_ALL, PROPAGATE_AOF, PROPAGATE_REPLICAS } from '../engine/effect.ts'
import { sha1Hex } from '../lib/sha1.ts'
import { Slice } from '../lib/slice.ts'
import type { LogLevel } from '../system/system.ts'
import { errorTable, errorText } from './convert-reply.ts'
import { formatNumber, parseNumber } from './lua/number.ts'
import type { LuaState } from './lua/state.ts'
import { LuaTable } from './lua/table.ts'
import { LuaError, type LuaResult, type LuaValue, NOTHING } from './lua/value.ts'
import type { RedisLibrary } from './redis-library.ts'
import type { EngineHost } from './script-engine.ts'

const LEVELS: readonly LogLevel[] = ['debug', 'verbose', 'notice', 'warning']

type HostFunction = (...args: LuaValue[]) => LuaResult

/** The `redis` table of scripts and functions. */
export function redisTable(S: LuaState, library: RedisLibrary, host: EngineHost): LuaTable {
  const fail = (text: string): never => {
    throw new LuaError(errorTable(S, errorText(text)))
  }
  const table = commonTable(S, host, fail)
  const add = (name: string, js: HostFunction) => table.set(name, S.plain(js))
  add('call', (...words) => library.call(words, true))
  add('pcall', (...words) => library.call(words, false))
  add('sha1hex', (...args) => {
    if (args.length !== 1) fail('wrong number of arguments')
    return sha1Hex(Slice.of(textOf(args[0]) ?? ''))
  })
  add('error_reply', (...args) => {
    const [text] = args
    if (args.length !== 1 || typeof text !== 'string')
      return errorTable(S, errorText('wrong number or type of arguments'))
    return errorTable(S, errorText(text.startsWith('-') ? text : `-${text}`))
  })
  add('status_reply', (...args) => {
    const [text] = args
    if (args.length !== 1 || typeof text !== 'string')
      return errorTable(S, errorText('wrong number or type of arguments'))
    const status = new LuaTable(S)
    status.set('ok', text)
    return status
  })
  add('setresp', (...args) => {
    if (args.length !== 1) fail('redis.setresp() requires one argument.')
    const resp = integerOf(args[0])
    if (resp !== 2 && resp !== 3) fail('RESP version must be 2 or 3.')
    library.script!.resp = resp
    return NOTHING
  })
  add('set_repl', (...args) => {
    if (args.length !== 1) fail('redis.set_repl() requires one argument.')
    const bits = integerOf(args[0])
    if ((bits & ~PROPAGATE_ALL) !== 0)
      fail('Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.')
    library.script!.repl = bits
    return NOTHING
  })
  table.set('REPL_NONE', 0)
  table.set('REPL_AOF', PROPAGATE_AOF)
  table.set('REPL_SLAVE', PROPAGATE_REPLICAS)
  table.set('REPL_REPLICA', PROPAGATE_REPLICAS)
  table.set('REPL_ALL', PROPAGATE_ALL)
  add('acl_check_cmd', (...words) => library.mayRun(words))
  return table
}

/** Functions of EVAL's scripts only: of the debugger and of script replication. */
export function addEvalFunctions(S: LuaState, table: LuaTable, library: RedisLibrary): void {
  table.set(
    'breakpoint',
    S.plain(() => {
      const by = library.script?.debugger
      by?.breakAtNextLine()
      return by !== undefined
    }),
  )
  table.set(
    'debug',
    S.plain((...values) => {
      library.script?.debugger?.logValues(values)
      return NOTHING
    }),
  )
  table.set(
    'replicate_commands',
    S.plain(() => true),
  )
}

/** The `redis` table of library code; `register` registers a function or throws. */
export function loadingTable(S: LuaState, host: EngineHost, register: HostFunction): LuaTable {
  const fail = (text: string): never => {
    throw new LuaError(errorTable(S, errorText(text)))
  }
  const table = commonTable(S, host, fail)
  table.set('register_function', S.plain(register))
  return table
}

function commonTable(S: LuaState, host: EngineHost, fail: (text: string) => never): LuaTable {
  const table = new LuaTable(S)
  const log = (...args: LuaValue[]) => {
    if (args.length < 2) fail('redis.log() requires two arguments or more.')
    if (numberOf(args[0]) === undefined) fail('First argument must be a number (log level).')
    const level = integerOf(args[0])
    if (level < 0 || level >= LEVELS.length) fail('Invalid debug level.')
    const words = args.slice(1).map(textOf)
    host.log(LEVELS[level], words.filter(word => word !== undefined).join(' '))
    return NOTHING
  }
  table.set('log', S.plain(log))
  table.set('LOG_DEBUG', 0)
  table.set('LOG_VERBOSE', 1)
  table.set('LOG_NOTICE', 2)
  table.set('LOG_WARNING', 3)
  const [major, minor, patch] = host.version.split('.').map(Number)
  table.set('REDIS_VERSION_NUM', (major << 16) | (minor << 8) | patch)
  table.set('REDIS_VERSION', host.version)
  return table
}

/** A string, or a number as a string; undefined otherwise. */
export function textOf(value: LuaValue): string | undefined {
  if (typeof value === 'number') return formatNumber(value)
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? parseNumber(value) : undefined
}

/** C's conversion of lua_tonumber to an int: 0 for non-numbers, INT_MIN for NaN and what does not fit. */
function integerOf(value: LuaValue): number {
  const n = Math.trunc(numberOf(value) ?? 0)
  return n === (n | 0) ? n : -(2 ** 31)
}
