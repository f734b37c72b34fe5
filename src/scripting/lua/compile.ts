// Compiler: Lua source to a Prototype, which any LuaState can load.
//
// The emitted JavaScript is one expression: a function of the state S, the operations R and a few constants returning
// the main function. It is made from the syntax tree only.

// biome-ignore-all lint/suspicious/noExplicitAny: Lua values are what they turn out to be

import type { FunctionBody } from './ast.ts'
import { nameOf } from './code.ts'
import type { ChunkContext } from './compile-expression.ts'
import { functionSource } from './compile-function.ts'
import { HoistedFunctions } from './hoisted.ts'
import { Numbers } from './infer.ts'
import { NanSigns } from './nan.ts'
import { parse } from './parser.ts'
import { LuaTable } from './table.ts'
import { type Chunk, type LineHook, LuaError, LuaFunction, NOTHING, PENDING, TAIL } from './value.ts'

const CHUNK_NAME_MAX = 60
const ERROR_NAME_MAX = 80

/** The globals through which a chunk can set metamethods, or reach such a global without naming it. */
const MAKE_METAMETHODS = [
  'setmetatable',
  'getmetatable',
  'newproxy',
  '_G',
  'getfenv',
  'setfenv',
  'load',
  'loadstring',
  'dofile',
  'loadfile',
  'require',
  'module',
  'debug',
]

type Factory = (...shared: unknown[]) => (...args: any[]) => any

/** A compiled chunk; stateless. */
export interface Prototype {
  readonly chunk: Chunk
  readonly factory: Factory
  /** The host functions that the chunk calls directly, by name: 'tonumber', 'redis.call'. */
  readonly hostNames: readonly string[]
}

/** Static facts about the globals that a chunk will run with. */
export interface World {
  /** No other chunk passes it values with metamethods, and its globals cannot be replaced or read by others. */
  readonly isSealed: true
  /** Globals, and their fields, that are always the same non-suspending host function. */
  readonly hostNames: ReadonlySet<string>
}

/**
 * Compiles a chunk. `source` has one char per byte; `name` has Lua's form: '@file', '=name', or the source itself.
 * Throws LuaError with Lua's message. With a `hook` it is called before each line; there must be no `world` then.
 */
export function compile(source: string, name: string, outerLevels = 0, world?: World, hook?: LineHook): Prototype {
  const errorName = displayName(name, ERROR_NAME_MAX)
  const chunk: Chunk = { name: displayName(name, CHUNK_NAME_MAX), source: name, sites: [], hook }
  try {
    const main = parse(source, errorName, outerLevels, hook !== undefined)
    const hasMetamethods = world === undefined || MAKE_METAMETHODS.some(global => main.globalNames.has(global))
    const hostNames: string[] = []
    const context: ChunkContext = {
      sites: chunk.sites,
      numbers: new Numbers(main),
      nanSigns: new NanSigns(!hasMetamethods),
      functions: [],
      hasMetamethods,
      hostFunction(e) {
        const hostName = nameOf(e)
        if (hasMetamethods || hostName === undefined || !world.hostNames.has(hostName)) return undefined
        if (!hostNames.includes(hostName)) hostNames.push(hostName)
        return `H${hostNames.indexOf(hostName)}`
      },
      hoisted: new HoistedFunctions(!hasMetamethods, e => context.hostFunction(e) !== undefined),
      hoistedNames: [],
      functionSource: (body: FunctionBody) => functionSource(body, context),
    }
    const name = functionSource(main, context)
    const hosts = hostNames.map((_, i) => `const H${i}=H[${i}];`).join('')
    const code = `"use strict";let E;${hosts}${context.functions.join('')}return ${name}`
    const factory = new Function('S', 'R', 'LT', 'LF', 'CH', 'TAIL', 'NOTHING', 'P', 'H', code) as Factory
    return { chunk, factory, hostNames }
  } catch (error) {
    // JavaScript's parser, or our recursion, overflowed the stack.
    if (!(error instanceof RangeError)) throw error
    throw new LuaError(`${errorName}: function or expression too complex`)
  }
}

/** A compiled chunk as a function of a state. */
export function instantiate(prototype: Prototype, state: unknown, operations: unknown, env: LuaTable): LuaFunction {
  const { factory, chunk } = prototype
  const hosts = prototype.hostNames.map(hostName =>
    hostName.split('.').reduce<any>((table: LuaTable, name) => table.getName(name), env),
  )
  const js = factory(state, operations, LuaTable, LuaFunction, chunk, TAIL, NOTHING, PENDING, hosts)
  return new LuaFunction(js, false, chunk, env)
}

/** A chunk's name in error positions, at most `max` bytes including C's final NUL. */
function displayName(name: string, max: number): string {
  if (name[0] === '=') return name.slice(1, max)
  if (name[0] === '@') {
    const room = max - 8
    return name.length - 1 > room ? `...${name.slice(name.length - room)}` : name.slice(1)
  }
  const lineEnd = name.search(/[\r\n]/)
  const room = max - 17
  const length = Math.min(lineEnd < 0 ? name.length : lineEnd, room)
  return `[string "${name.slice(0, length)}${length < name.length ? '...' : ''}"]`
}
