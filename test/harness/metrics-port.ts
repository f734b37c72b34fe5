// A server with a metrics port in a virtual world, and a client that asks it over HTTP.

import assert from 'node:assert/strict'
import type { NetworkError, Outgoing } from '../../src/system/network.ts'
import type { VirtualMachine } from '../../src/system/virtual.ts'
import { VirtualWorld } from '../../src/system/virtual-world.ts'
import { MachineServer } from './machine.ts'

export const PORT = 9121
const ON = { 'metrics-port': String(PORT), 'metrics-bind': '*' }

/** A server on a machine of its own, with a metrics port, and a machine beside it. */
export async function started(directives: Readonly<Record<string, string>> = {}) {
  const world = new VirtualWorld({ seed: 1 })
  const server = await MachineServer.start(world.machine('server'), { ...ON, ...directives })
  return { world, server, client: world.machine('client') }
}

/** Simulated time passes. */
export function pass(world: VirtualWorld, ms: number): void {
  world.scheduler.advance(world.scheduler.nowUs + ms * 1000)
}

/** Sends a request in pieces; what has come back, and whether the connection is over. */
export function request(client: VirtualMachine, pieces: readonly string[], port = PORT) {
  const state = { text: '', isOver: false, link: undefined as Outgoing | undefined }
  client.system.network.dial({ host: 'server', port }, 1000, (result: Outgoing | NetworkError) => {
    if ('code' in result) {
      state.isOver = true
      return
    }
    state.link = result
    result.onData = bytes => {
      state.text += new TextDecoder().decode(bytes)
    }
    result.onClose = () => {
      state.isOver = true
    }
    for (const piece of pieces) result.write(new TextEncoder().encode(piece))
  })
  return state
}

/** Asks for a page in one request. */
export function get(world: VirtualWorld, client: VirtualMachine, path: string): { status: number; body: string } {
  const state = request(client, [`GET ${path} HTTP/1.1\r\nHost: server\r\n\r\n`])
  pass(world, 200)
  const [head, body] = [state.text.slice(0, state.text.indexOf('\r\n\r\n')), state.text.indexOf('\r\n\r\n') + 4]
  assert.ok(state.isOver)
  assert.equal(head.includes(`Content-Length: ${state.text.length - body}\r\n`), true, head)
  return { status: Number(head.slice(9, 12)), body: state.text.slice(body) }
}
