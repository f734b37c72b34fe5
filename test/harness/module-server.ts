// A server with one module on a virtual machine, and the twins of Redis's module tests.

import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { defineModule, type ModuleCommand, type ModuleDefinition } from '../../src/module.ts'
import { type VirtualMachine, virtualSystem } from '../../src/system/virtual.ts'
import { MachineServer } from './machine.ts'
import { RespError, type Word } from './resp.ts'

/** Declares a test that shows what tests/modules/FILE.c of Redis shows; docs/modules.md lists them. */
export function twin(file: string, what: string, body: () => Promise<void>): void {
  test(`${file}: ${what}`, body)
}

/** The parts of a module, or only its commands. */
type Parts = Partial<ModuleDefinition> | readonly ModuleCommand[]

export function moduleOf(parts: Parts, name = 'twin') {
  const definition = Array.isArray(parts) ? { commands: parts as readonly ModuleCommand[] } : parts
  return { module: defineModule({ name, version: 1, apiVersion: 1, ...definition } as ModuleDefinition) }
}

export async function moduleServer(
  parts: Parts,
  directives: Readonly<Record<string, string>> = {},
  machine: VirtualMachine = virtualSystem({ seed: 1 }),
): Promise<MachineServer> {
  const server = await MachineServer.start(machine, directives, { modules: [moduleOf(parts)] })
  server.call('ping')
  return server
}

/** Lets promises and what they cause come to an end. */
export async function settled(server: MachineServer): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    server.machine.settle()
    await Promise.resolve()
  }
}

/** Sends a command on a connection of its own, which it returns. */
export function started(server: MachineServer, ...words: Word[]): number {
  const client = server.connect()
  server.send(client, words)
  server.machine.settle()
  return client
}

/** Texts of error replies in the place of the errors. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  return value instanceof RespError ? `-${value.message}` : value
}

/** The commands in the append-only files of a machine, without SELECT. */
export function logged(machine: VirtualMachine): string[] {
  const names = machine.disk.readdir('appendonlydir').filter(name => name.includes('.incr.'))
  const text = names.map(name => MachineServer.text(machine.disk.readFile(`appendonlydir/${name}`))).join('')
  const commands: string[] = []
  for (const piece of text.split('*').slice(1)) {
    const words = piece.split('\r\n').slice(1, -1)
    commands.push(words.filter((_, i) => i % 2 === 1).join(' '))
  }
  return commands.filter(one => !/^select /i.test(one))
}

/** The text of a file of the repository. */
export function fileText(path: string): string {
  return readFileSync(path, 'utf8')
}
