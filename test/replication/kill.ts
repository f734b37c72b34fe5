// A replica is killed (SIGKILL) at random moments, while it synchronises or follows, and now and then its primary:
//
//   REDIS_SERVER=/path/to/redis-server npx bun test/replication/kill.ts [--kills 200] [--seed 1] [--pair ours,real]
//
//   writers ─▶ primary ──▶ replica        replica: killed, started again, often killed again before it is linked
//                                         alone:   killed, started as a primary: it has what WAITAOF confirmed
//                                         primary: killed, the replica takes over: it has what WAIT confirmed
//
// Between kills the writers (crash/writer.ts) stop, the replica catches up, and both must have the same dataset. A
// replica starts with another way to load and to persist each time. Prints a line per pair, and exits with 1 when
// something was lost.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { seededRandom } from '../../src/system/random.ts'
import type { Random } from '../../src/system/system.ts'
import { Writer } from '../crash/writer.ts'
import { oraclePath } from '../harness/oracle.ts'
import { RandomCommands } from '../harness/random-commands.ts'
import type { Word } from '../harness/resp.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { freePort, sleep } from '../harness/target.ts'
import { OURS } from './chain.ts'

const FILLER_KEYS = 2000
/** Without any progress. */
const STILL_MS_MAX = 60_000
const CONFIRM_MS = '100'
/** How each writer asks for confirmation. */
const CONFIRMATIONS: readonly (readonly Word[])[] = [
  ['WAIT', '1', CONFIRM_MS],
  ['WAIT', '1', CONFIRM_MS],
  ['WAITAOF', '0', '1', CONFIRM_MS],
  ['WAITAOF', '0', '1', CONFIRM_MS],
]
const PIPELINE = 10
const DIRECTIVES = {
  save: '',
  'repl-diskless-sync-delay': '0',
  'repl-backlog-size': '64mb',
  'enable-debug-command': 'yes',
  'auto-aof-rewrite-percentage': '0',
}

export interface KillsOptions {
  /** Of the first primary and the first replica. */
  commands: readonly [string, string]
  kills: number
  seed: number
}

export interface KillsResult {
  kills: Record<'replica' | 'synchronising' | 'alone' | 'primary', number>
  transactions: number
  /** Numbers that WAIT and WAITAOF confirmed, checked after a kill. */
  confirmed: number
  fullSyncs: number
  partialSyncs: number
  failures: string[]
}

/** One of the two servers, with its folder and port. */
class Node {
  readonly command: string
  readonly folder: string
  readonly port: number
  server!: ServerProcess

  constructor(command: string, folder: string, port: number) {
    this.command = command
    this.folder = folder
    this.port = port
  }

  async launch(directives: Readonly<Record<string, string>>): Promise<void> {
    const all = { ...DIRECTIVES, ...directives, port: String(this.port) }
    this.server = await ServerProcess.launch(this.command, this.folder, all)
  }

  async figure(section: string, field: string): Promise<string> {
    const text = String(await this.server.call('INFO', section))
    return new RegExp(`^${field}:(.*)\r$`, 'm').exec(text)?.[1] ?? ''
  }
}

export async function runKills(options: KillsOptions): Promise<KillsResult> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-replica-kill-'))
  const run = new KillsRun(options, folder)
  try {
    await run.start()
    await run.all()
  } finally {
    await run.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return run.result
}

class KillsRun {
  readonly result: KillsResult = {
    kills: { replica: 0, synchronising: 0, alone: 0, primary: 0 },
    transactions: 0,
    confirmed: 0,
    fullSyncs: 0,
    partialSyncs: 0,
    failures: [],
  }
  private readonly options: KillsOptions
  private readonly folder: string
  private readonly random: Random
  private readonly writers = CONFIRMATIONS.map((_, i) => new Writer(i))
  private connections: PlainConnection[] = []
  private primary!: Node
  private replica!: Node
  /** The replica has been linked since its start. */
  private isLinked = false

  constructor(options: KillsOptions, folder: string) {
    this.options = options
    this.folder = folder
    this.random = seededRandom(options.seed)
  }

  private below(n: number): number {
    return this.random.u32() % n
  }

  private pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]
  }

  async start(): Promise<void> {
    const nodes: Node[] = []
    for (const [i, command] of this.options.commands.entries()) {
      const folder = join(this.folder, String(i))
      mkdirSync(folder)
      nodes.push(new Node(command, folder, await freePort()))
    }
    ;[this.primary, this.replica] = nodes
    await this.primary.launch({})
    await this.primary.server.untilLoaded()
    await this.primary.server.call('DEBUG', 'POPULATE', FILLER_KEYS, 'filler', 250)
    await this.launchReplica()
  }

  private async launchReplica(): Promise<void> {
    this.isLinked = false
    await this.replica.launch({
      replicaof: `127.0.0.1 ${this.primary.port}`,
      appendonly: this.pick(['yes', 'yes', 'no']),
      appendfsync: this.pick(['everysec', 'always']),
      'repl-diskless-load': this.pick(['disabled', 'on-empty-db', 'swapdb']),
    })
    // Transfers that take a moment, and those that are over at once.
    const delayUs = this.pick([0, 20, 60])
    await this.primary.server.call('CONFIG', 'SET', 'rdb-key-save-delay', delayUs)
    await this.primary.server.call('CONFIG', 'SET', 'repl-diskless-sync', this.pick(['yes', 'no']))
  }

  private get kills(): number {
    return Object.values(this.result.kills).reduce((sum, n) => sum + n, 0)
  }

  async all(): Promise<void> {
    while (this.kills < this.options.kills && this.result.failures.length === 0) {
      if (this.connections.length === 0) this.write()
      if (this.below(2) === 0) {
        await sleep(this.below(600))
        await this.killReplica()
        continue
      }
      await this.untilLinked()
      await sleep(this.below(1200))
      const kind = this.below(5)
      if (kind === 0) await this.killPrimary()
      else await this.killReplica()
      if (this.below(3) !== 0) await this.compare()
    }
    await this.compare()
    for (const { sent } of this.writers) this.result.transactions += sent
  }

  // ---- load ----

  private write(): void {
    const { port } = this.primary
    this.connections = this.writers.map((writer, i) => {
      const connection = new PlainConnection(port)
      writer.run(connection, CONFIRMATIONS[i])
      return connection
    })
    const random = new PlainConnection(port)
    this.connections.push(random)
    void this.sendRandom(random)
  }

  private async sendRandom(connection: PlainConnection): Promise<void> {
    const commands = new RandomCommands(this.random, 20, 1, 100)
    for (;;) {
      const replies: Promise<unknown>[] = []
      while (replies.length < PIPELINE) {
        const command = commands.next()
        // The writers' keys stay.
        if (command[0] !== 'flushdb' && command[0] !== 'swapdb') replies.push(connection.call(...command))
      }
      await Promise.all(replies)
      await sleep(5)
    }
  }

  private stopWriting(): void {
    for (const connection of this.connections) connection.close()
    this.connections = []
  }

  // ---- kills ----

  private async killReplica(): Promise<void> {
    const { replica, primary, result } = this
    const isAlone = this.below(5) === 0
    await replica.server.kill()
    if (isAlone) result.kills.alone++
    else if (this.isLinked) result.kills.replica++
    else result.kills.synchronising++
    if (!isAlone) return this.launchReplica()
    await replica.launch({ appendonly: 'yes' })
    await replica.server.untilLoaded()
    await this.inspect('WAITAOF')
    this.isLinked = false
    await replica.server.call('REPLICAOF', '127.0.0.1', primary.port)
  }

  private async killPrimary(): Promise<void> {
    const { primary, replica, result } = this
    await primary.server.kill()
    result.kills.primary++
    this.stopWriting()
    await replica.server.call('REPLICAOF', 'NO', 'ONE')
    await this.inspect('WAIT')
    ;[this.primary, this.replica] = [replica, primary]
    for (const [i, writer] of this.writers.entries()) {
      await this.fails(writer.check(replica.server.connection, 0))
      // The logs are another server's now.
      if (CONFIRMATIONS[i][0] === 'WAITAOF') writer.confirmed = 0
    }
    this.write()
    await this.launchReplica()
  }

  /** The replica has what was confirmed. */
  private async inspect(by: string): Promise<void> {
    for (const [i, writer] of this.writers.entries()) {
      const least = CONFIRMATIONS[i][0] === by ? writer.confirmed : 0
      if (least > 0) this.result.confirmed++
      await this.fails(writer.inspect(this.replica.server.connection, least).then(({ failure }) => failure))
    }
  }

  private async fails(failure: Promise<string | undefined>): Promise<void> {
    const text = await failure
    if (text === undefined) return
    const { primary, replica } = this
    this.result.failures.push(
      `kill ${this.kills}, ${text}\n--- primary\n${primary.server.log}\n--- replica\n${replica.server.log}`,
    )
  }

  // ---- comparison ----

  /** Waits until `isDone`; throws when nothing of `progress` has moved for long. */
  private async until(what: string, isDone: () => Promise<boolean>, progress: () => Promise<string>): Promise<void> {
    let last = ''
    for (let sinceMs = performance.now(); !(await isDone()); await sleep(5)) {
      const now = await progress()
      if (now !== last) sinceMs = performance.now()
      else if (performance.now() - sinceMs > STILL_MS_MAX)
        throw new Error(`${what}\n--- primary\n${this.primary.server.log}\n--- replica\n${this.replica.server.log}`)
      last = now
    }
  }

  private async untilLinked(): Promise<void> {
    const { primary, replica } = this
    await replica.server.untilLoaded()
    await this.until(
      'no link',
      async () => (await replica.figure('replication', 'master_link_status')) === 'up',
      async () =>
        `${await replica.figure('replication', 'master_sync_read_bytes')} ` +
        `${await primary.figure('persistence', 'current_save_keys_processed')}`,
    )
    this.isLinked = true
  }

  private async compare(): Promise<void> {
    const { primary, replica } = this
    this.stopWriting()
    await this.untilLinked()
    const offset = (node: Node) => node.figure('replication', 'master_repl_offset')
    const isCaughtUp = async () => (await offset(primary)) === (await offset(replica))
    await this.until('the replica does not catch up', isCaughtUp, () => offset(replica))
    const digests = [await primary.server.call('DEBUG', 'DIGEST'), await replica.server.call('DEBUG', 'DIGEST')]
    if (digests[0] !== digests[1]) await this.fails(Promise.resolve(`the datasets differ: ${digests.join(' ')}`))
    for (const writer of this.writers)
      await this.fails(writer.check(primary.server.connection, writer.promised(Number.POSITIVE_INFINITY)))
    this.result.fullSyncs += Number(await primary.figure('stats', 'sync_full'))
    this.result.partialSyncs += Number(await primary.figure('stats', 'sync_partial_ok'))
    await primary.server.call('CONFIG', 'RESETSTAT')
  }

  async stop(): Promise<void> {
    this.stopWriting()
    for (const node of [this.primary, this.replica]) await node?.server?.kill()
  }
}

if (import.meta.main === true) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      pair: { type: 'string', default: 'ours,ours ours,real real,ours' },
    },
  })
  const command = (name: string) => (name === 'ours' ? OURS : (oraclePath ?? OURS))
  for (const pair of values.pair.split(' ')) {
    const [first, second] = pair.split(',')
    const { kills, transactions, confirmed, fullSyncs, partialSyncs, failures } = await runKills({
      commands: [command(first), command(second)],
      kills: Number(values.kills),
      seed: Number(values.seed),
    })
    console.log(
      `${pair}: kills of a replica ${kills.replica}, while it synchronised ${kills.synchronising}, started alone ${kills.alone}, ` +
        `of the primary ${kills.primary}; ${transactions} transactions, ${confirmed} confirmations checked, ` +
        `${fullSyncs} full and ${partialSyncs} partial synchronisations, ${failures.length} failures`,
    )
    for (const failure of failures) console.log(failure)
    if (failures.length > 0) process.exitCode = 1
  }
}
