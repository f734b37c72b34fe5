// Compiled as ESM and as CommonJS: the types are there, and none of them is `any`.

import { createServer, type EmbeddedServer, virtualSystem } from 'redstart'

export async function use(): Promise<number> {
  const server: EmbeddedServer = await createServer({ config: { maxmemory: '100mb' } })
  const port: number = await server.listen()
  const socket = server.connect()
  socket.onData = bytes => bytes.subarray(1).length
  // @ts-expect-error: a port is a number
  const wrong: string = server.port
  // @ts-expect-error: there is no such option
  await createServer({ nosuch: 1 })
  // @ts-expect-error: there is no such method
  server.nosuch()
  const machine = virtualSystem({ seed: 1 })
  machine.advance(10)
  await server.close()
  return port + wrong.length
}
