// What others notice of a client that crosses a limit: the longest reply to PING while each limit (limits.ts) is
// crossed in each state, in ms.
//
//   npx bun test/hostile/latency.ts [--command bin/redstart] [--beside redis-server] [--rounds 3] [--only 'MULTI']
//
// The median of the rounds, and the largest. Only a quiet machine tells the truth.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { CLIENT_BLOCKED, CLIENT_MULTI, CLIENT_REPLICA } from '../../src/engine/client.ts'
import { encodeCommand } from '../harness/resp.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { type Attacked, type Attacking, type Bystanding, LARGE, type State } from './attacker.ts'
import { BASE, CROSSINGS, type Limit } from './limits.ts'

const READ_MS = 20
const GONE_MS_MAX = 5000
/** A server compiles what is hot after its start. */
const WARM_UP_MS = 5000
const BEFORE_MS = 100
const AFTER_MS = 50
const BETWEEN_MS = 1
const FLAGS: ReadonlyMap<number, string> = new Map([
  [CLIENT_MULTI, 'x'],
  [CLIENT_BLOCKED, 'b'],
  [CLIENT_REPLICA, 'S'],
])

const { values: options } = parseArgs({
  options: {
    command: { type: 'string', default: join(import.meta.dirname, '../../bin/redstart') },
    beside: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    ping: { type: 'string' },
  },
})

async function opened(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** A client in another process than its server: CLIENT LIST tells its state. */
class RemoteAttacker implements Attacking, Attacked {
  readonly socket: Socket
  private readonly port: number
  private readonly control: PlainConnection
  /** '': the server does not know it. */
  private flags = '?'

  constructor(socket: Socket, control: PlainConnection) {
    this.socket = socket
    this.port = socket.localPort!
    this.control = control
    socket.pause()
  }

  get isGone(): boolean {
    return this.flags === ''
  }

  /** What CLIENT LIST does not show is taken for granted. */
  has(flag: number): boolean {
    const letter = FLAGS.get(flag)
    return letter === undefined || this.flags.includes(letter)
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  tell(...words: string[]): Promise<void> {
    return this.tellBytes(encodeCommand(words))
  }

  async tellBytes(bytes: Uint8Array): Promise<void> {
    this.send(bytes)
    await sleep(READ_MS)
  }

  async until(what: string, done: () => boolean): Promise<void> {
    for (const endMs = performance.now() + GONE_MS_MAX; ; await sleep(READ_MS)) {
      const list = String(await this.control.call('CLIENT', 'LIST'))
      this.flags = new RegExp(`addr=127\\.0\\.0\\.1:${this.port} .* flags=(\\S+)`).exec(list)?.[1] ?? ''
      if (done()) return
      if (performance.now() > endMs) throw new Error(`never: ${what}`)
    }
  }
}

/** The longest reply while the limit is crossed, in ms. */
async function longestMs(server: ServerProcess, limit: Limit, state: State): Promise<number> {
  const names = Object.keys(limit.directives)
  const before = await Promise.all(names.map(name => server.call('CONFIG', 'GET', name)))
  for (const name of names) await server.call('CONFIG', 'SET', name, limit.directives[name])
  const other = new PlainConnection(server.port)
  // What it is told depends on when the client went.
  const bystander: Bystanding = { ask: async words => void (await other.call(...words)) }
  await bystander.ask(['SET', 'large', LARGE], '+OK\r\n')
  const attacker = new RemoteAttacker(await opened(server.port), server.connection)
  await state.enter(attacker, attacker, bystander)
  const stop = await startPings(server.port)
  await limit.cross(attacker, state, bystander)
  if (limit.isParsed && state.release) await state.release(bystander)
  if (state.name === 'closing') attacker.socket.resume()
  await attacker.until('the client is closed', () => attacker.isGone)
  attacker.socket.destroy()
  await sleep(AFTER_MS)
  const longest = await stop()
  await bystander.ask(['CLIENT', 'UNPAUSE'], '+OK\r\n')
  await bystander.ask(['FLUSHALL'], '+OK\r\n')
  other.close()
  for (const pair of before) await server.call('CONFIG', 'SET', ...(pair as string[]))
  return longest
}

/** Pings in a process of their own; the function that is returned ends them and tells the longest. */
async function startPings(port: number): Promise<() => Promise<number>> {
  const child = spawn(process.execPath, [import.meta.filename, '--ping', String(port)])
  let text = ''
  child.stdout.on('data', bytes => {
    text += String(bytes)
  })
  while (!text.startsWith('\n')) await once(child.stdout, 'data')
  return async () => {
    child.stdin.end()
    await once(child, 'close')
    return Number(text)
  }
}

/** Until standard input ends; an empty line is written once it has begun. */
async function ping(port: number): Promise<never> {
  let isOver = false
  process.stdin.resume().on('end', () => {
    isOver = true
  })
  const connection = new PlainConnection(port)
  void connection.closed.then(() => process.exit(1))
  const timed = async () => {
    const sentMs = performance.now()
    await connection.call('PING')
    const tookMs = performance.now() - sentMs
    await sleep(BETWEEN_MS)
    return tookMs
  }
  for (const endMs = performance.now() + BEFORE_MS; performance.now() < endMs; ) await timed()
  process.stdout.write('\n')
  let longest = 0
  while (!isOver) longest = Math.max(longest, await timed())
  process.stdout.write(longest.toFixed(2))
  process.exit(0)
}

async function table(commands: readonly string[], folder: string): Promise<void> {
  const servers: ServerProcess[] = []
  for (const [i, command] of commands.entries()) {
    mkdirSync(join(folder, String(i)))
    servers.push(await ServerProcess.start(command, join(folder, String(i)), { save: '', ...BASE }))
  }
  await sleep(WARM_UP_MS)
  console.log(['limit, state', ...commands].join(' | '))
  for (const { limit, state } of CROSSINGS) {
    const name = `${limit.name}, ${state.name}`
    if (!name.includes(options.only)) continue
    const all = servers.map((): number[] => [])
    for (let round = 0; round < Number(options.rounds); round++)
      for (const [i, server] of servers.entries()) all[i].push(await longestMs(server, limit, state))
    const cells = all.map(times => {
      times.sort((a, b) => a - b)
      return `${times[times.length >> 1].toFixed(1)} ${times[times.length - 1].toFixed(1)}`
    })
    console.log([name, ...cells].join(' | '))
  }
  for (const server of servers) await server.kill()
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-latency-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  await table([options.command, ...(options.beside === undefined ? [] : [options.beside])], folder)
}

if (options.ping !== undefined) await ping(Number(options.ping))
await main()
process.exit(0)
