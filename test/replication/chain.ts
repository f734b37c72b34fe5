// Three servers in a chain, ours and redis-server in turn, whose links go through proxies that cut them at any byte,
// halve and delay what passes, while random commands are sent to the first. In the end all have the same dataset, and
// there was one full synchronisation for each link.
//
//   REDIS_SERVER=/path/to/redis-server npx bun test/replication/chain.ts [--seconds 600] [--seed 1] [--kill] [--module]
//
//   commands ─▶ first ◀─ proxy ◀─ second ◀─ proxy ◀─ third        ours, real, ours; then real, ours, real
//
// With --kill the servers of ours that are replicas are killed (SIGKILL) now and then, and started again. With --module
// some of the values are of a module's type, and all three servers are ours.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { seededRandom } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import { oraclePath } from '../harness/oracle.ts'
import { RandomCommands } from '../harness/random-commands.ts'
import type { Word } from '../harness/resp.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { freePort, sleep } from '../harness/target.ts'
import { projectRoot } from '../tidy/source.ts'
import { HostileProxy } from './proxy.ts'

export const OURS: string = join(projectRoot, 'bin/redstart')
/** A file that loads the module of tallies. */
export const TALLY: string = join(projectRoot, 'test/harness/tally-file.ts')
const KEYS = 40
const DATABASES = 16
const PIPELINE = 20
const CUT_MS_MAX = 4000
const DELAY_MS_MAX = 100
/** Without any progress. */
const STILL_MS_MAX = 60_000
const LOOK_MS = 200
const DIGESTS_MAX = 20
const DIRECTIVES = {
  save: '',
  'repl-diskless-sync-delay': '0',
  'repl-backlog-size': '100mb',
  'enable-debug-command': 'yes',
}

export interface ChainOptions {
  commands: readonly string[]
  seed: number
  seconds: number
  /** Replicas of ours are killed. */
  kill: boolean
  /** Values of a module's type, which redis-server has not. */
  module?: boolean
}

export interface ChainResult {
  digests: string[]
  /** Of each server, for its replica. */
  fullSyncs: number[]
  cuts: number
  delays: number
  kills: number
  sent: number
  /** Keys of the last server's first database with a value of the module's type. */
  tallies: number
  /** INFO replication and the end of the log of each server. */
  states: string[]
}

export async function runChain(options: ChainOptions): Promise<ChainResult> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-chain-'))
  const chain = new Chain(options, folder)
  try {
    await chain.start()
    await chain.load()
    return await chain.end()
  } finally {
    await chain.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

class Chain {
  private readonly options: ChainOptions
  private readonly folder: string
  private readonly random: Random
  private readonly servers: ServerProcess[] = []
  private readonly proxies: HostileProxy[] = []
  private kills = 0
  private sent = 0
  private isOver = false

  constructor(options: ChainOptions, folder: string) {
    this.options = options
    this.folder = folder
    this.random = seededRandom(options.seed)
  }

  async start(): Promise<void> {
    for (let i = 0; i < this.options.commands.length; i++) {
      mkdirSync(join(this.folder, String(i)))
      if (i > 0) {
        const proxy = new HostileProxy(this.random, this.servers[i - 1].port)
        await proxy.open()
        this.proxies.push(proxy)
      }
      this.servers.push(await this.startServer(i, await freePort()))
    }
    await this.untilLinked()
  }

  private startServer(i: number, port: number): Promise<ServerProcess> {
    const followed: Record<string, string> = i === 0 ? {} : { replicaof: `127.0.0.1 ${this.proxies[i - 1].port}` }
    const loaded: Record<string, string> = this.options.module === true ? { loadmodule: TALLY } : {}
    const directives = { ...DIRECTIVES, ...loaded, ...followed, port: String(port) }
    return ServerProcess.start(this.options.commands[i], join(this.folder, String(i)), directives)
  }

  private async untilLinked(): Promise<void> {
    const deadline = performance.now() + STILL_MS_MAX
    for (const server of this.servers.slice(1))
      while (!String(await server.call('INFO', 'replication')).includes('master_link_status:up')) {
        if (performance.now() > deadline) throw new Error(`no link: ${server.log}`)
        await sleep(50)
      }
  }

  /** All have the first one's offset; false: for a long time none has come nearer. */
  private async caughtUp(): Promise<boolean> {
    let last = ''
    for (let sinceMs = performance.now(); performance.now() - sinceMs < STILL_MS_MAX; await sleep(LOOK_MS)) {
      const infos = await Promise.all(this.servers.map(async one => String(await one.call('INFO', 'replication'))))
      const offsets = infos.map(info => /master_repl_offset:(\d+)/.exec(info)?.[1])
      if (new Set(offsets).size === 1) return true
      if (offsets.join() !== last) sinceMs = performance.now()
      last = offsets.join()
    }
    return false
  }

  /** Random commands on one connection, while links are cut. */
  async load(): Promise<void> {
    const faults = this.fault()
    const commands = new RandomCommands(this.random, KEYS, DATABASES, 300, this.options.module)
    const client = new PlainConnection(this.servers[0].port)
    const end = performance.now() + this.options.seconds * 1000
    while (performance.now() < end) {
      const replies: Promise<unknown>[] = []
      for (let i = 0; i < PIPELINE; i++) replies.push(client.call(...this.next(commands)))
      this.sent += PIPELINE
      await Promise.all(replies)
    }
    client.close()
    this.isOver = true
    await faults
  }

  private next(commands: RandomCommands): Word[] {
    const kind = commands.below(40)
    if (kind === 0) return ['SELECT', commands.below(DATABASES)]
    if (kind === 1) return ['SET', `string${commands.below(KEYS)}`, 'x', 'PX', 1 + commands.below(2000)]
    if (kind === 2) return ['EVAL', "redis.call('INCR', 'a') return redis.call('SADD', 'b', redis.call('GET', 'a'))", 0]
    if (kind === 3)
      return [
        'FUNCTION',
        'LOAD',
        'REPLACE',
        `#!lua name=l${commands.below(5)}\nredis.register_function('f${commands.below(5)}', function() return 1 end)`,
      ]
    return commands.next()
  }

  private async fault(): Promise<void> {
    while (!this.isOver) {
      await sleep(100 + (this.random.u32() % CUT_MS_MAX))
      if (this.isOver) return
      const i = this.random.u32() % this.proxies.length
      const isFirst = this.proxies.every(({ cuts }) => cuts === 0)
      if (this.options.kill && this.random.u32() % 3 === 0 && this.options.commands[i + 1] === OURS)
        await this.kill(i + 1)
      else if (!isFirst && this.random.u32() % 3 === 0) this.proxies[i].delay(this.random.u32() % DELAY_MS_MAX)
      else this.proxies[i].cut()
    }
  }

  private async kill(i: number): Promise<void> {
    const { port } = this.servers[i]
    this.kills++
    await this.servers[i].kill()
    this.servers[i] = await this.startServer(i, port)
  }

  async end(): Promise<ChainResult> {
    for (const proxy of this.proxies) proxy.delay(0)
    await this.untilLinked()
    let digests: string[] = []
    // Expired keys are gone everywhere once they are gone at the first.
    for (let left = DIGESTS_MAX; left > 0 && new Set(digests).size !== 1; left--) {
      await sleep(500)
      if (!(await this.caughtUp())) break
      digests = await Promise.all(this.servers.map(async server => String(await server.call('DEBUG', 'DIGEST'))))
    }
    const fullSyncs = await Promise.all(
      this.servers.map(async server => Number(/sync_full:(\d+)/.exec(String(await server.call('INFO', 'stats')))?.[1])),
    )
    const cuts = this.proxies.reduce((sum, one) => sum + one.cuts, 0)
    const delays = this.proxies.reduce((sum, one) => sum + one.delays, 0)
    const states = await Promise.all(
      this.servers.map(async server => `${await server.call('INFO', 'replication')}\n${server.log}`),
    )
    const [, keys] = (await this.servers.at(-1)!.call('SCAN', 0, 'COUNT', 10_000, 'TYPE', 'tally-one')) as [string, []]
    const { kills, sent } = this
    return { digests, fullSyncs, cuts, delays, kills, sent, tallies: keys.length, states }
  }

  async stop(): Promise<void> {
    this.isOver = true
    for (const server of this.servers) await server.kill()
    for (const proxy of this.proxies) proxy.close()
  }
}

if (import.meta.main === true) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      kill: { type: 'boolean', default: false },
      module: { type: 'boolean', default: false },
    },
  })
  const { seconds, seed, kill, module } = values
  const real = oraclePath ?? OURS
  const ours = [OURS, OURS, OURS]
  let failed = false
  for (const commands of module
    ? [ours]
    : [
        [OURS, real, OURS],
        [real, OURS, real],
      ]) {
    const result = await runChain({ commands, seconds: Number(seconds), seed: Number(seed), kill, module })
    const isEqual = new Set(result.digests).size === 1
    const isPartial = kill || result.fullSyncs.join() === '1,1,0'
    failed ||= !isEqual || !isPartial
    if (failed) console.log(result.states.join('\n----\n'))
    console.log(
      `${commands.map(one => (one === OURS ? 'ours' : 'real')).join('→')}: ${result.sent} commands, ${result.cuts} cuts, ${result.delays} delays, ` +
        `${result.kills} kills, ${module ? `${result.tallies} values of a module, ` : ''}full synchronisations ${result.fullSyncs.join(' ')}, digests ${isEqual ? 'equal' : result.digests.join(' ') || 'not compared: the offsets stay different'}`,
    )
  }
  process.exitCode = failed ? 1 : 0
}
