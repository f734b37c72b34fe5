// Runs a file of the corpus like corpus/driver.lua.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  compile,
  type LuaError,
  type LuaFunction,
  type LuaResult,
  LuaState,
  load,
  openLibraries,
  start,
} from '../../src/scripting/lua/index.ts'
import { toText } from '../../src/scripting/lua/stdlib/base.ts'

// Built tests run from another folder, but with the same working directory.
const FOLDER = [join(import.meta.dirname, '../../src/scripting/lua'), join(process.cwd(), 'src/scripting/lua')]
  .map(folder => join(folder, 'corpus'))
  .find(folder => existsSync(join(folder, 'driver.lua')))!

const SEALED = { isSealed: true, hostNames: new Set<string>() } as const

export const driverPath = join(FOLDER, 'driver.lua')

export function corpusFiles(): string[] {
  return readdirSync(FOLDER).filter(name => name.endsWith('.lua') && name !== 'driver.lua')
}

export function corpusPath(name: string): string {
  return join(FOLDER, name)
}

/**
 * The output of a source's programs, run in slices of `budget`. `isAlone`: each is compiled as the only chunk of its
 * state.
 */
export function runCorpus(source: string, budget: number, isAlone = false): string {
  const S = new LuaState()
  openLibraries(S)
  S.cCallsAtStart = 2
  let out = ''
  S.globals.set(
    'print',
    S.plain(function (this: LuaFunction, ...args) {
      // Lua's print calls tostring, which counts as one more C call.
      S.enter(this)
      for (let i = 0; i < args.length; i++) {
        S.enterC()
        S.cCalls--
      }
      S.leave()
      out += `${args.map(value => toText(S, value)).join('\t')}\n`
      return []
    }),
  )
  if (isAlone) {
    const plain = S.globals.get('loadstring') as LuaFunction
    S.globals.set(
      'loadstring',
      S.plain((...args) =>
        typeof args[0] === 'string' ? loaded(S, args[0], String(args[1] ?? args[0]).split('\0')[0]) : plain.js(...args),
      ),
    )
  }
  const driver = load(S, compile(readFileSync(driverPath, 'latin1'), '=driver'))
  const execution = start(S, driver, [source])
  while (execution.resume(budget) === 'suspended');
  if (execution.state === 'failed') throw new Error(`the driver failed: ${(execution.error as LuaError).value}`)
  return out
}

/** A program as a function, or nil and the error. */
function loaded(S: LuaState, text: string, name: string): LuaResult {
  try {
    return load(S, compile(text, name, S.cCalls, SEALED), S.thread.env)
  } catch (error) {
    return [undefined, S.caught(error).value]
  }
}
