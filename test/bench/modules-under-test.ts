// What the benchmark of modules compares: commands of a module, and the same written in the core.
//
//   bun test/bench/modules-under-test.ts WITH --port PORT ...     serves them; WITH is 'listener' or 'nothing' beside

import process from 'node:process'
import { allCommands } from '../../src/commands/index.ts'
import type { Command } from '../../src/engine/catalog/command.ts'
import { defineModule, type ModuleCommand, type RedstartModule, reply } from '../../src/module.ts'
import { runtimeNetwork } from '../../src/net/runtime.ts'
import { launch } from '../../src/server/launch.ts'
import { startServer } from '../../src/server/server.ts'
import { realSystem } from '../../src/system/real.ts'

const write = { arity: -1, flags: 'write denyoom', keys: 'RW UPDATE @1' } as const
const read = { arity: -1, flags: 'readonly fast', keys: 'RO ACCESS @1' } as const

const OK = reply.simple('OK')

const commands: readonly ModuleCommand[] = [
  { ...read, keys: undefined, name: 'm.one', complexity: 'O(1)', run: () => 1 },
  { ...read, name: 'm.echo', complexity: 'O(1)', run: ctx => ctx.borrow(1) },
  { ...read, name: 'm.echocopy', complexity: 'O(1)', run: ctx => ctx.bytes(1) },
  { ...read, name: 'm.get', complexity: 'O(1)', run: ctx => ctx.keys.borrow(ctx.borrow(1)) },
  { ...read, name: 'm.getcopy', complexity: 'O(1)', run: ctx => ctx.keys.string(ctx.bytes(1)) },
  {
    ...write,
    name: 'm.set',
    complexity: 'O(1)',
    run(ctx) {
      ctx.writableKeys.setString(ctx.borrow(1), ctx.borrow(2))
      return OK
    },
  },
  {
    ...write,
    name: 'm.setcopy',
    complexity: 'O(1)',
    run(ctx) {
      ctx.writableKeys.setString(ctx.bytes(1), ctx.bytes(2))
      return OK
    },
  },
  { ...read, name: 'm.callget', complexity: 'O(1)', run: ctx => ctx.call('GET', ctx.borrow(1)) },
  { ...write, name: 'm.callset', complexity: 'O(1)', run: ctx => ctx.call('SET', ctx.borrow(1), ctx.borrow(2)) },
]

/** Of the others, the core has one that does the same. */
const one: Command = {
  ...read,
  keys: undefined,
  name: 'c.one',
  since: '1.0.0',
  group: 'module',
  summary: '',
  complexity: 'O(1)',
  run: ctx => ctx.reply.integer(1),
}

export const coreCommands: readonly Command[] = [...allCommands, one]

export const measuredModule = defineModule({ name: 'measured', version: 1, apiVersion: 1, commands })

export const listening = defineModule({
  name: 'listening',
  version: 1,
  apiVersion: 1,
  setup: server => void server.on('key-changed', () => {}),
})

export function modulesWith(listener: boolean): { module: RedstartModule }[] {
  return listener ? [{ module: measuredModule }, { module: listening }] : [{ module: measuredModule }]
}

const GET = ['get', 'key:1']
const SET = ['set', 'key:1', 'value of 16 byte']
const ECHO = ['echo', 'value of 16 byte']

/** Each command of the module, and the command of the core that does the same. */
export const pairs: readonly (readonly [core: readonly string[], module: readonly string[]])[] = [
  [['c.one'], ['m.one']],
  ...['m.echo', 'm.echocopy'].map(name => [ECHO, [name, ...ECHO.slice(1)]] as const),
  ...['m.get', 'm.getcopy', 'm.callget'].map(name => [GET, [name, ...GET.slice(1)]] as const),
  ...['m.set', 'm.setcopy', 'm.callset'].map(name => [SET, [name, ...SET.slice(1)]] as const),
]

if (import.meta.main) {
  const [beside, ...args] = process.argv.slice(2)
  const modules = modulesWith(beside === 'listener')
  await launch(args, realSystem(runtimeNetwork(), { ownProcess: true }), (config, system, log, options) =>
    startServer(config, system, log, { ...options, commands: coreCommands, modules }),
  )
}
