// Sandbox: the globals of scripts and functions: exactly Redis's, read-only; reading an unknown name is an error.
//
// While library code is loaded, the same table has other contents: `redis.register_function` and little more. Functions
// compiled then keep that table as their environment, and see its full contents when they are called.
//
// Always: between beginLoading() and endLoading() only the library's code runs.

import { cText } from '../lib/text.ts'
import { errorTable } from './convert-reply.ts'
import { openLibraries } from './lua/index.ts'
import { formatNumber } from './lua/number.ts'
import { type LuaState, typeName } from './lua/state.ts'
import { protect as protectedCall } from './lua/stdlib/protected.ts'
import { LuaTable } from './lua/table.ts'
import { LuaFunction, type LuaResult, type LuaValue } from './lua/value.ts'
import type { RedisLibrary } from './redis-library.ts'
import { addEvalFunctions, loadingTable, redisTable, textOf } from './redis-library-api.ts'
import { openRedisLibraries } from './redis-libs/index.ts'
import type { EngineHost } from './script-engine.ts'

/** Names visible to scripts; everything else of the libraries is removed. */
const ALLOWED = new Set(
  (
    'string cjson bit cmsgpack math table struct redis __redis__err__handler xpcall tostring getfenv setmetatable next ' +
    'assert tonumber rawequal collectgarbage getmetatable rawset pcall coroutine type _G select unpack gcinfo pairs ' +
    'rawget loadstring ipairs _VERSION setfenv load error newproxy'
  ).split(' '),
)

export class Sandbox {
  readonly globals: LuaTable
  private readonly loading: LuaTable
  private readonly S: LuaState
  /** The nodes of the globals, and the slots of KEYS' and ARGV's values. */
  private nodes: LuaTable['nodes'] = []
  private keysSlot = 0
  private argvSlot = 0

  constructor(
    S: LuaState,
    library: RedisLibrary,
    host: EngineHost,
    use: 'scripts' | 'functions',
    register: (...args: LuaValue[]) => LuaResult,
  ) {
    this.S = S
    const globals = (this.globals = S.globals)
    openLibraries(S)
    openRedisLibraries(S)
    globals.set('pcall', redisPcall(S))
    const string = globals.getName('string') as LuaTable
    string.set('dump', dumpFunction(S))
    const redis = redisTable(S, library, host)
    globals.set('redis', redis)
    if (use === 'scripts') {
      addEvalFunctions(S, redis, library)
      globals.set(
        '__redis__err__handler',
        S.plain(error => this.handled(error)),
      )
    }
    for (const name of namesIn(globals)) if (!ALLOWED.has(name)) globals.set(name, undefined)
    this.makeLoud(globals)
    protect(globals)
    if (S.stringMeta !== undefined) protect(S.stringMeta)

    this.loading = new LuaTable(S)
    const loadingRedis = loadingTable(S, host, register)
    this.makeLoud(loadingRedis)
    this.loading.set('redis', loadingRedis)
    protect(this.loading)
  }

  /** Sets KEYS and ARGV, which are globals from the first script on. */
  setArguments(keys: LuaTable, argv: LuaTable): void {
    const { globals } = this
    if (this.nodes !== globals.nodes) {
      globals.set('KEYS', keys)
      globals.set('ARGV', argv)
      this.nodes = globals.nodes
      this.keysSlot = this.nodes.indexOf('KEYS') + 1
      this.argvSlot = this.nodes.indexOf('ARGV') + 1
    }
    this.nodes[this.keysSlot] = keys
    this.nodes[this.argvSlot] = argv
  }

  /** The environment of all chunks. */
  get env(): LuaTable {
    return this.globals
  }

  /** The names of globals, and of functions in global tables, that never suspend. */
  hostNames(): Set<string> {
    const names = new Set<string>()
    const add = (prefix: string, table: LuaTable) => {
      for (const name of namesIn(table)) {
        const value = table.getName(name)
        if (value instanceof LuaFunction && value.plain) names.add(prefix + name)
        else if (value instanceof LuaTable && prefix === '') add(`${name}.`, value)
      }
    }
    add('', this.globals)
    return names
  }

  beginLoading(): void {
    swapContents(this.globals, this.loading)
  }

  endLoading(): void {
    swapContents(this.globals, this.loading)
  }

  /** An error value as text, as Redis's error handler formats it. */
  textOf(value: LuaValue): string {
    if (value === undefined) return 'nil'
    if (typeof value === 'number') return formatNumber(value)
    return typeof value === 'object' ? `${typeName(value)}: ${this.S.address(value)}` : String(value)
  }

  private handled(error: LuaValue): LuaValue {
    const { S } = this
    const table = error instanceof LuaTable ? error : errorTable(S, `ERR ${this.textOf(error)}`)
    const site = S.siteAt(1)
    if (site === undefined) return table
    table.set('source', S.functionAt(1)!.chunk!.source)
    table.set('line', site.line)
    return table
  }

  /** Makes reading an unknown name an error. */
  private makeLoud(table: LuaTable): void {
    const { S } = this
    table.mt = new LuaTable(S)
    table.mt.set(
      '__index',
      S.plain((...args) => {
        if (args.length !== 2) throw S.error('Wrong number of arguments to luaProtectedTableError')
        const name = textOf(args[1])
        if (name === undefined) throw S.error('Second argument to luaProtectedTableError must be a string or number')
        throw S.error(`Script attempted to access nonexistent global variable '${cText(name)}'`)
      }),
    )
  }
}

/** The instruction of a function that returns nothing. */
const RETURN = 0x0080001e

/** pcall whose caller gets an error table's message, as before Redis 7. */
function redisPcall(S: LuaState): LuaFunction {
  const messageOf = (error: LuaValue) => (error instanceof LuaTable ? (textOf(error.getName('err')) ?? error) : error)
  return S.running(function (this: LuaFunction, ...args) {
    // Redis does not check; what it calls then is no function.
    if (args.length === 0) return S.ready([false, 'attempt to call a nil value'])
    return protectedCall(S, this, args[0], args.slice(1), false, undefined, messageOf)
  })
}

/**
 * string.dump: a binary chunk with an empty function. Neither Redis nor we can load what it returns: loadstring refuses
 * binary chunks.
 */
function dumpFunction(S: LuaState): LuaFunction {
  return S.plain((...args) => {
    const [f] = args
    if (!(f instanceof LuaFunction)) throw S.typeError(1, 'function', f, args.length)
    if (f.chunk === undefined) throw S.error('unable to dump given function')
    return emptyBinaryChunk(f.chunk.source)
  })
}

/** Of a 64-bit machine: header | source, lines 1 to 1, no upvalues and parameters, stack 2 | RETURN | constants … */
function emptyBinaryChunk(source: string): string {
  const word = (n: number) => String.fromCharCode(n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24)
  const none = word(0)
  const head = `\x1bLuaQ\0\x01\x04\x08\x04\x08\0${word(source.length + 1)}${none}${source}\0${word(1)}${word(1)}\0\0\0\x02`
  return `${head}${word(1)}${word(RETURN)}${none}${none}${word(1)}${word(1)}${none}${none}`
}

function namesIn(table: LuaTable): string[] {
  const names: string[] = []
  for (let at = table.positionOfValue(0); at >= 0; at = table.positionOfValue(at + 1))
    names.push(String(table.keyAt(at)))
  return names
}

/** Makes a table, its metatable and its nested tables read-only. */
function protect(table: LuaTable): void {
  if (table.readonly) return
  table.readonly = true
  for (let at = table.positionOfValue(0); at >= 0; at = table.positionOfValue(at + 1)) {
    const value = table.valueAt(at)
    if (value instanceof LuaTable) protect(value)
  }
  if (table.mt !== undefined) protect(table.mt)
}

function swapContents(a: LuaTable, b: LuaTable): void {
  const { arr, nodes, mask, free } = a
  Object.assign(a, { arr: b.arr, nodes: b.nodes, mask: b.mask, free: b.free })
  Object.assign(b, { arr, nodes, mask, free })
}
