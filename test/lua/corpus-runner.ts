// Runs a file of the corpus as corpus/driver.lua says, for the tests.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile, type LuaError, LuaState, load, openLibraries, start } from '../../src/scripting/lua/index.ts'
import { toText } from '../../src/scripting/lua/lib/base.ts'

// Built tests run from another folder, but from the same working directory.
const FOLDER = [join(import.meta.dirname, '../../src/scripting/lua'), join(process.cwd(), 'src/scripting/lua')]
  .map(folder => join(folder, 'corpus'))
  .find(folder => existsSync(join(folder, 'driver.lua')))!

export const driverPath = join(FOLDER, 'driver.lua')

export function corpusFiles(): string[] {
  return readdirSync(FOLDER).filter(name => name.endsWith('.lua') && name !== 'driver.lua')
}

export function corpusPath(name: string): string {
  return join(FOLDER, name)
}

/** What the programs of a source print, run in slices of `budget`. */
export function runCorpus(source: string, budget: number): string {
  const S = new LuaState()
  openLibraries(S)
  S.cCallsAtStart = 2
  let out = ''
  S.globals.set(
    'print',
    S.plain((...args) => {
      out += `${args.map(value => toText(S, value)).join('\t')}\n`
      return []
    }),
  )
  const driver = load(S, compile(readFileSync(driverPath, 'latin1'), '=driver'))
  const execution = start(S, driver, [source])
  while (execution.resume(budget) === 'suspended');
  if (execution.state === 'failed') throw new Error(`the driver failed: ${(execution.error as LuaError).value}`)
  return out
}
