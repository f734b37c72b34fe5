// The clients of a day: four libraries and programs behind one interface, each over TCP or over TLS.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { connect as connectTls } from 'node:tls'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { Certificates } from '../harness/certificates.ts'
import { encodeCommand, type PlainValue, parseReply, plain, ReplyReader, RespError } from '../harness/resp.ts'

/** One connection. A call that fails ends it; whether the command ran is then unknown. */
export interface LifeClient {
  call(...words: string[]): Promise<unknown>
  close(): void
}

export interface Ports {
  readonly port: number
  readonly tlsPort: number
  readonly files: Certificates
}

export const openers: { readonly [library: string]: (ports: Ports) => Promise<LifeClient> } = {
  ioredis: async ({ tlsPort, files }) => {
    const ca = readFileSync(files.path('ca.crt'))
    const [cert, key] = [readFileSync(files.path('client.crt')), readFileSync(files.path('client.key'))]
    const tls = { ca, cert, key, checkServerIdentity: () => undefined }
    const redis = new Redis({
      host: '127.0.0.1',
      port: tlsPort,
      tls,
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
    })
    redis.on('error', () => {})
    await redis.connect()
    return { call: (name, ...rest) => redis.call(name, ...rest), close: () => redis.disconnect() }
  },

  'node-redis': async ({ port }) => {
    const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: false } })
    client.on('error', () => {})
    await client.connect()
    return { call: (...words) => client.sendCommand(words), close: () => client.destroy() }
  },

  'redis-cli': ({ port }) => {
    const child = spawn('redis-cli', ['-p', String(port)], { stdio: ['pipe', 'pipe', 'pipe'] })
    const waiting: { resolve(line: string): void; reject(error: Error): void }[] = []
    let isOver = false
    child.stdin.on('error', () => {})
    createInterface({ input: child.stdout }).on('line', line => waiting.shift()?.resolve(line))
    const over = () => {
      isOver = true
      for (const one of waiting.splice(0)) one.reject(new Error('closed'))
    }
    child.on('exit', over)
    // It says there that a connection was lost, and would go on with another one.
    child.stderr.on('data', () => child.kill())
    child.on('error', over)
    return Promise.resolve({
      async call(...words) {
        if (isOver) throw new Error('closed')
        child.stdin.write(`${words.map(word => JSON.stringify(word)).join(' ')}\n`)
        const line = await new Promise<string>((resolve, reject) => waiting.push({ resolve, reject }))
        if (/^(Could not connect|Error:|ERR|LOADING|OOM|NOAUTH|NOPERM)/.test(line)) throw new Error(line)
        return line
      },
      close: () => child.kill(),
    })
  },

  'sockets over TLS': ({ tlsPort, files }) => {
    const read = (name: string) => readFileSync(files.path(name))
    const own = { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') }
    const socket = connectTls({ host: '127.0.0.1', port: tlsPort, ...own, checkServerIdentity: () => undefined })
    const reader = new ReplyReader()
    const waiting: { resolve(reply: PlainValue): void; reject(error: Error): void }[] = []
    socket.on('data', (bytes: Uint8Array) => {
      reader.push(bytes)
      for (let reply = reader.next(); reply !== undefined; reply = reader.next())
        waiting.shift()?.resolve(plain(parseReply(reply, 0)))
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const one of waiting.splice(0)) one.reject(new Error('closed'))
    })
    const client: LifeClient = {
      async call(...words) {
        if (socket.destroyed) throw new Error('closed')
        socket.write(encodeCommand(words))
        const reply = await new Promise<PlainValue>((resolve, reject) => waiting.push({ resolve, reject }))
        if (reply instanceof RespError) throw new Error(reply.message)
        return reply
      },
      close: () => socket.destroy(),
    }
    return new Promise((resolve, reject) => {
      socket.once('secureConnect', () => resolve(client))
      socket.once('close', () => reject(new Error('closed')))
    })
  },
}
