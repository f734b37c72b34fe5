// A bench for online tools: disk and terminal are simulated, the servers are ours, reached without sockets, or the
// redis-server of REDIS_SERVER.

import type { ClientSystem } from '../../src/client/connection.ts'
import { Remote, type Word } from '../../src/client/remote.ts'
import { parseServerUrl } from '../../src/client/url.ts'
import { runtimeNetwork } from '../../src/net/runtime.ts'
import type { Value } from '../../src/protocol/value.ts'
import { type Network, NetworkError, type Outgoing } from '../../src/system/network.ts'
import { realSystem } from '../../src/system/real.ts'
import type { System } from '../../src/system/system.ts'
import { type VirtualMachine, virtualSystem } from '../../src/system/virtual.ts'
import { runTool, type Tool } from '../../src/tools/command-line.ts'
import { oraclePath } from './oracle.ts'
import { outgoingOver } from './outgoing.ts'
import { type Config, startTarget, type Target } from './target.ts'

export interface ToolResult {
  code: number
  out: string
  err: string
}

/** No second replica will come, so there is nothing to wait for. */
const QUICK = { 'repl-diskless-sync-delay': '0' }

/** Servers by port numbers that the test chooses, and a machine to run tools on. */
export class ToolBench {
  readonly machine: VirtualMachine = virtualSystem({ seed: 1 })
  readonly targets = new Map<number, Target>()
  private readonly remotes = new Map<number, Remote>()
  /** For the test's own connections. */
  readonly reach: ClientSystem
  private readonly system: System
  /** Called with every connection that a tool opens, to break or inspect it. */
  onDial: (port: number, connection: Outgoing) => void = () => {}

  /** Called when a tool has written to its stderr. */
  private said: () => void = () => {}

  constructor() {
    const { clock, timers, random } = realSystem(runtimeNetwork())
    const { disk, system } = this.machine
    this.reach = { clock, timers, network: { dial: ({ port }, _timeoutMs, done) => void this.dial(port, done) } }
    const network: Network = {
      ...system.network,
      dial: ({ port }, _timeoutMs, done) =>
        void this.dial(port, result => {
          if (!(result instanceof NetworkError)) this.onDial(port, result)
          done(result)
        }),
    }
    const { process } = system
    const stderr = (bytes: Uint8Array) => {
      process.stderr(bytes)
      this.said()
    }
    this.system = { clock, timers, random, network, disk, process: { ...process, stderr } }
  }

  /** `oracle`: redis-server, if there is one. */
  async start(port: number, config: Config = {}, oracle = false): Promise<Remote> {
    this.targets.set(
      port,
      await startTarget(oracle && oraclePath !== undefined ? 'redis' : 'TCP', { ...QUICK, ...config }),
    )
    const remote = await this.dialRemote(port, config.requirepass)
    this.remotes.set(port, remote)
    return remote
  }

  /** Another connection, which the test closes. */
  dialRemote(port: number, password = ''): Promise<Remote> {
    return Remote.open(parseServerUrl(`redis://:${password}@test:${port}`)!, this.reach)
  }

  private async dial(port: number, done: (result: Outgoing | NetworkError) => void): Promise<void> {
    const wire = await this.targets.get(port)?.open()
    if (wire === undefined) return done(new NetworkError('ECONNREFUSED'))
    const connection = outgoingOver(wire)
    wire.onData = bytes => connection.onData(bytes)
    wire.onClose = () => connection.onClose(undefined)
    done(connection)
  }

  async run(tool: Tool, ...args: string[]): Promise<ToolResult> {
    this.machine.out = this.machine.err = ''
    const code = await runTool(tool, args, this.system)
    return { code, out: this.machine.out, err: this.machine.err }
  }

  /** Resolves when the tool that runs has said that on its stderr. */
  async untilSaid(words: RegExp): Promise<void> {
    while (!words.test(this.machine.err))
      await new Promise<void>(resolve => {
        this.said = resolve
      })
  }

  async stop(): Promise<void> {
    for (const remote of this.remotes.values()) remote.close()
    for (const target of this.targets.values()) await target.stop()
  }
}

/** Runs each line as a command. */
export async function say(remote: Remote, ...lines: string[]): Promise<void> {
  for (const line of lines) await remote.call(...line.split(' '))
}

export async function ask(remote: Remote, ...words: Word[]): Promise<Value> {
  const reply = await remote.try(...words)
  return reply instanceof Uint8Array ? new TextDecoder('latin1').decode(reply) : reply
}

/** One key of each kind, in two databases, with times to live. */
export async function fill(remote: Remote): Promise<void> {
  await say(
    remote,
    'SET text hello',
    'SET number 12345',
    'SET later x PX 100000000',
    'RPUSH list a b c 4',
    'SADD numbers 1 2 3',
    'SADD set a b c',
    'HSET hash f v g w',
    'ZADD zset 1 a 2.5 b',
    'XADD stream 1-1 f v',
    'XGROUP CREATE stream g 0',
    'XREADGROUP GROUP g c STREAMS stream >',
    'SELECT 3',
    'SET other 1',
    'SELECT 0',
  )
  for (let i = 0; i < 300; i++) await remote.call('SADD', 'many', `member ${i}`)
  await remote.call('SET', new Uint8Array([0, 255, 13, 10]), new Uint8Array(2000).fill(7))
  await remote.call('FUNCTION', 'LOAD', "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
}

/** A digest of the dataset. */
export async function digestOf(remote: Remote): Promise<string> {
  const expiry = await ask(remote, 'PTTL', 'later')
  const functions = await ask(remote, 'FUNCTION', 'LIST')
  return `${await ask(remote, 'DEBUG', 'DIGEST')} ${Math.round(Number(expiry) / 100000)} ${JSON.stringify(functions).length}`
}
