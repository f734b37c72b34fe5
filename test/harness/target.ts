// The servers of conversations: ours in this process, ours over TCP, or the redis-server of REDIS_SERVER. Only this
// file knows how each is started and stopped.
//
// Always: a target is started for the first conversation that needs it, is shared by all with the same configuration,
// and is stopped at the end of the test file.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer as createSocketServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from '../../src/index.ts'
import { defineModule } from '../../src/module.ts'
import { virtualSystem } from '../../src/system/virtual.ts'
import { oraclePath } from './oracle.ts'

export type Config = Readonly<Record<string, string>>

/** The client side of one connection. */
export interface Wire {
  write(bytes: Uint8Array): void
  onData: (bytes: Uint8Array) => void
  onClose: () => void
  /** Reads no more: what the server sends stays with it once sockets are full. */
  pause(): void
  close(): void
}

export interface Target {
  readonly kind: TargetKind
  open(): Promise<Wire>
  /** Lets time pass: on the server's simulated clock if it has one. */
  pass(ms: number): Promise<void>
  /**
   * Called repeatedly while a reply is awaited; resolves when the caller should check again, at the latest after
   * `arrival`, to true while waiting longer makes sense.
   */
  idle(waitedTurns: number, arrival: Promise<void>): Promise<boolean>
  stop(): Promise<void>
}

export type TargetKind = 'in process' | 'TCP' | 'redis'

const TURN_MS = 10
const TURNS_MAX = 1000
const BASE_CONFIG: Config = {
  save: '',
  appendonly: 'no',
  'enable-debug-command': 'yes',
  'enable-protected-configs': 'yes',
}

/** Directives for all of our servers: CONVERSATION_CONFIG='storage disk, storage-memory 1'. */
const MORE_CONFIG: Config = Object.fromEntries(
  (process.env.CONVERSATION_CONFIG ?? '')
    .split(',')
    .filter(line => line !== '')
    .map(line => line.trim().split(' ')),
)

/** CONVERSATION_FILTER: pass or same: all of our servers have a filter that passes commands, or repeats their words. */
const FILTER = process.env.CONVERSATION_FILTER
const MODULES =
  FILTER === undefined
    ? []
    : [
        defineModule({
          name: 'passing',
          version: 1,
          apiVersion: 1,
          setup: server => void server.filter(({ args }) => (FILTER === 'same' ? args : undefined)),
        }),
      ]

/** Starts a server of that kind. */
export function startTarget(kind: TargetKind, config: Config): Promise<Target> {
  if (kind === 'redis') return startRedis(oraclePath!, { ...BASE_CONFIG, ...config })
  const full = { ...BASE_CONFIG, ...MORE_CONFIG, ...config }
  return kind === 'TCP' ? startOverTcp(full) : startInProcess(full)
}

/** Ours on a virtual machine: its clock moves only while a test waits, so no test takes real time. */
async function startInProcess(config: Config): Promise<Target> {
  const machine = virtualSystem({ seed: 1 })
  const server = await createServer({ config, system: machine.system, modules: MODULES })
  return {
    kind: 'in process',
    open: async () => {
      const socket = server.connect()
      const wire: Wire = {
        write: bytes => socket.write(bytes),
        onData: () => {},
        onClose: () => {},
        pause: () => socket.pause(),
        close: () => socket.close(),
      }
      socket.onData = bytes => wire.onData(bytes)
      socket.onClose = () => wire.onClose()
      return wire
    },
    pass: async ms => machine.advance(ms),
    idle: async turns => {
      await nextTurn()
      machine.advance(turns < 50 ? 1 : 100)
      return turns < 400
    },
    stop: () => server.close(),
  }
}

async function startOverTcp(config: Config): Promise<Target> {
  const server = await createServer({ config, modules: MODULES })
  const port = await server.listen(0)
  return overTcp('TCP', port, () => server.close())
}

async function startRedis(path: string, config: Config): Promise<Target> {
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'redstart-oracle-'))
  const options = Object.entries({ ...config, port: String(port), dir, bind: '127.0.0.1' })
  const child = spawn(
    path,
    options.flatMap(([name, value]) => [`--${name}`, ...configWords(value)]),
    { stdio: 'ignore' },
  )
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  await untilListening(port, child)
  return overTcp('redis', port, async () => {
    process.removeListener('exit', kill)
    const ended = new Promise(resolve => child.once('exit', resolve))
    kill()
    await ended
    rmSync(dir, { recursive: true, force: true })
  })
}

function configWords(value: string): string[] {
  return value === '' ? [''] : value.split(' ')
}

function overTcp(kind: TargetKind, port: number, stop: () => Promise<void>): Target {
  return {
    kind,
    open: () => openTcp(port),
    pass: sleep,
    idle: async (turns, arrival) => {
      let timer: NodeJS.Timeout | undefined
      await Promise.race([arrival, new Promise(resolve => (timer = setTimeout(resolve, TURN_MS)))])
      clearTimeout(timer)
      return turns < TURNS_MAX
    },
    stop,
  }
}

function openTcp(port: number, host = '127.0.0.1'): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host, noDelay: true })
    const wire: Wire = {
      write: bytes => socket.write(bytes),
      onData: () => {},
      onClose: () => {},
      pause: () => void socket.pause(),
      close: () => socket.destroy(),
    }
    socket.on('data', bytes => wire.onData(bytes))
    socket.on('close', () => wire.onClose())
    socket.once('connect', () => resolve(wire))
    socket.on('error', reject)
  })
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createSocketServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Resolves when `port` accepts connections; rejects when `child`, if given, has ended. */
export async function untilListening(port: number, child?: ChildProcess, host = '127.0.0.1'): Promise<void> {
  for (let attemptsLeft = 1000; attemptsLeft > 0; attemptsLeft--) {
    if (child !== undefined && child.exitCode !== null)
      throw new Error(`the server ended with exit code ${child.exitCode}`)
    try {
      ;(await openTcp(port, host)).close()
      return
    } catch {
      await sleep(10)
    }
  }
  throw new Error(`nothing answers on port ${port}`)
}
