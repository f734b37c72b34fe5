// Compiled as ESM and as CommonJS: the types are there, and none of them is `any`.

import { createServer, type EmbeddedServer, virtualSystem } from 'redstart'
import { ioredisOptions } from 'redstart/ioredis'
import RedisMock, { Cluster } from 'redstart/ioredis-mock'
import { RedisMemoryServer } from 'redstart/memory-server'
import { intercept, nodeRedisOptions } from 'redstart/node-redis'
import { requester, restHandler } from 'redstart/upstash'

export async function use(): Promise<number> {
  const server: EmbeddedServer = await createServer({
    config: { maxmemory: '100mb', databases: 4, maxmemoryPolicy: 'allkeys-lru' },
  })
  const port: number = await server.listen()
  const socket = server.connect()
  socket.onData = bytes => bytes.subarray(1).length
  // @ts-expect-error: a port is a number
  const wrong: string = server.port
  // @ts-expect-error: there is no such option
  await createServer({ nosuch: 1 })
  // @ts-expect-error: there is no such directive
  await createServer({ config: { maxmemry: '1' } })
  // @ts-expect-error: there is no such policy
  await createServer({ config: { 'maxmemory-policy': 'lru' } })
  await server.clock.advance('7d')
  // @ts-expect-error: not a duration
  await server.clock.advance({})
  server.socket().end()
  const retries: null = ioredisOptions(server).maxRetriesPerRequest
  // @ts-expect-error: there is no such method
  server.nosuch()
  const machine = virtualSystem({ seed: 1 })
  machine.advance(10)
  const mock: string | null = await new RedisMock({ data: { k: 'v' } }).get('k')
  const nodes: number = new Cluster(['redis://localhost:7001']).nodes().length
  const memory: number = await new RedisMemoryServer({ instance: { args: ['--databases', '4'] } }).getPort()
  // @ts-expect-error: a port is a number
  const host: string = await new RedisMemoryServer().getPort()
  const response: Response = await restHandler(server, { token: 'dev' })(new Request('http://localhost/ping'))
  globalThis.fetch = restHandler(server)
  const { result } = await requester(server).request<string>({ body: ['get', 'k'] })
  const path: string = nodeRedisOptions(server).socket.path
  // @ts-expect-error: an address is text
  intercept(6379, server).dispose()
  const text: string | null = await server.client().get('k')
  const replies: [number, string | null] | null = await server.client().multi().incr('n').get('k').exec()
  const count: number = server.callSync('DBSIZE')
  // @ts-expect-error: GET replies no number
  const number: number = await server.call('GET', 'k')
  // @ts-expect-error: SETRANGE takes three arguments
  await server.client().setrange('k', 1)
  await server.close()
  return (
    port +
    wrong.length +
    String([mock, nodes, memory, host, response.ok, result, path, retries, text, replies, count, number]).length
  )
}
