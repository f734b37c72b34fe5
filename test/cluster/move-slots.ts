// Moves slots with data from one node to another, and measures how long that takes and what clients wait meanwhile.
//
//   bun test/cluster/move-slots.ts [--mib 1024] [--slots 4096] [--bytes 1000] [--way whole|reshard] [--port 22000]
//                                  [--server bin/redstart] [--cli redis-cli]
//   bun test/cluster/move-slots.ts --fields 10000000        one huge hash, the old way: SETSLOT and MIGRATE
//
// Two primaries. whole: CLUSTER MIGRATESLOTS; reshard: redis-cli --cluster reshard. Meanwhile a client for each node
// asks for a key of its own, and one follows MOVED and ASK and sets keys of the slots that move, one after the other.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SlotTags } from '../../src/cluster/slot-tags.ts'
import { seededRandom } from '../../src/system/random.ts'
import { type PlainValue, RespError } from '../harness/resp.ts'
import { PlainConnection } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { projectRoot } from '../tidy/source.ts'
import { ClusterProcesses } from './processes.ts'

const BATCH = 500
const FIELDS_PER_CALL = 1000

interface MoveOptions {
  mib: number
  slots: number
  bytes: number
  way: string
  port: number
  server: string
  cli: string
  /** Of one hash; 0: many keys. */
  fields: number
}

class Waits {
  readonly ms: number[] = []
  isOver = false

  at(part: number): string {
    const sorted = this.ms.sort((a, b) => a - b)
    return `${sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(1)} ms`
  }

  get text(): string {
    return `${this.ms.length} replies, p99 ${this.at(0.99)}, longest ${this.at(1)}`
  }
}

/** Asks one after the other, with a millisecond between. */
async function ask(waits: Waits, call: () => Promise<unknown>): Promise<void> {
  while (!waits.isOver) {
    const beginMs = performance.now()
    await call()
    waits.ms.push(performance.now() - beginMs)
    await sleep(1)
  }
}

class MoveRun {
  private readonly options: MoveOptions
  private readonly cluster: ClusterProcesses
  private readonly tags = new SlotTags()
  private readonly connections: PlainConnection[] = []
  private readonly redirects = new Map<string, number>()

  constructor(options: MoveOptions) {
    this.options = options
    this.cluster = new ClusterProcesses(
      { nodes: 2, primaries: 2, timeoutMs: 15_000, port: options.port, servers: [options.server] },
      seededRandom(1),
    )
  }

  async run(): Promise<void> {
    const { cluster, options } = this
    await cluster.start()
    for (const { port } of cluster.nodes) this.connections.push(new PlainConnection(port))
    const keys = options.fields > 0 ? await this.fillHash() : await this.fill()
    const waits = [new Waits(), new Waits(), new Waits()]
    const [own, others] = [`{${this.tags.tagOf(8000)}}own`, `{${this.tags.tagOf(16_000)}}own`]
    const asked = [
      ask(waits[0], () => this.connections[0].call('SET', own, '1')),
      ask(waits[1], () => this.connections[1].call('SET', others, '1')),
      ...(options.fields > 0 ? [] : [this.follow(waits[2])]),
    ]
    await sleep(500)
    const cpuBefore = await this.cpuSeconds()
    const beginMs = performance.now()
    await (options.fields > 0 ? this.moveHash() : options.way === 'whole' ? this.moveWhole() : this.reshard())
    const tookMs = performance.now() - beginMs
    const cpu = (await this.cpuSeconds()).map((seconds, i) => (seconds - cpuBefore[i]).toFixed(1))
    for (const one of waits) one.isOver = true
    await Promise.all(asked)
    await sleep(2000)
    const left = await cluster.nodes[0].call('DBSIZE')
    console.log(
      `${keys} moved in ${(tookMs / 1000).toFixed(2)} s; source has ${left} keys, others in its slots included`,
    )
    console.log(`CPU: ${cpu[0]} s at the source, ${cpu[1]} s at the target`)
    console.log(`at the source: ${waits[0].text}; at the target: ${waits[1].text}`)
    if (options.fields === 0)
      console.log(`in moving slots: ${waits[2].text}; ${JSON.stringify(Object.fromEntries(this.redirects))}`)
  }

  end(): Promise<void> {
    for (const one of this.connections) one.close()
    return this.cluster.end()
  }

  /** What each node has used since its start. */
  private async cpuSeconds(): Promise<number[]> {
    const texts = await Promise.all(this.cluster.nodes.map(node => node.call('INFO', 'cpu')))
    return texts.map(text => {
      const [, system, user] = /used_cpu_sys:([\d.]+)\r\nused_cpu_user:([\d.]+)/.exec(String(text))!
      return Number(system) + Number(user)
    })
  }

  private async fill(): Promise<string> {
    const { mib, slots, bytes } = this.options
    const count = Math.round((mib * 1024 * 1024) / bytes)
    const value = 'v'.repeat(bytes)
    for (let i = 0; i < count; i += BATCH) {
      const calls: Promise<unknown>[] = []
      for (let j = i; j < Math.min(count, i + BATCH); j++)
        calls.push(this.connections[0].call('SET', `{${this.tags.tagOf(j % slots)}}${j}`, value))
      await Promise.all(calls)
    }
    return `${count} keys of ${bytes} bytes in ${slots} slots`
  }

  private async fillHash(): Promise<string> {
    const { fields } = this.options
    for (let i = 0; i < fields; i += FIELDS_PER_CALL) {
      const words: string[] = []
      for (let j = i; j < Math.min(fields, i + FIELDS_PER_CALL); j++) words.push(`field${j}`, `value${j}`)
      await this.connections[0].call('HSET', this.hash, ...words)
    }
    return `a hash of ${await this.connections[0].call('HLEN', this.hash)} fields`
  }

  private get hash(): string {
    return `{${this.tags.tagOf(0)}}hash`
  }

  /** Sets keys of the slots that move, wherever they are. */
  private async follow(waits: Waits): Promise<void> {
    let slot = 0
    await ask(waits, async () => {
      slot = (slot + 37) % this.options.slots
      const key = `{${this.tags.tagOf(slot)}}follow`
      for (let node = 0, asking = false; ; ) {
        const replies: Promise<PlainValue>[] = [...(asking ? [this.connections[node].call('ASKING')] : [])]
        replies.push(this.connections[node].call('SET', key, '1'))
        const reply: PlainValue = (await Promise.all(replies)).pop()!
        if (!(reply instanceof RespError)) return
        const [word, , address] = reply.message.split(' ')
        this.redirects.set(word, (this.redirects.get(word) ?? 0) + 1)
        if (word === 'TRYAGAIN') await sleep(1)
        else node = Number(address.split(':')[1]) - this.options.port
        asking = word === 'ASK'
      }
    })
  }

  private async moveWhole(): Promise<void> {
    const { nodes, ids } = this.cluster
    const words = ['SLOTSRANGE', '0', String(this.options.slots - 1), 'NODE', ids[1]]
    const reply = await nodes[0].call('CLUSTER', 'MIGRATESLOTS', ...words)
    if (reply !== 'OK') throw new Error(String(reply))
    for (;;) {
      await sleep(5)
      const [newest] = (await nodes[0].call('CLUSTER', 'GETSLOTMIGRATIONS')) as string[][]
      const field = (name: string) => newest[newest.indexOf(name) + 1]
      if (!/^(success|failed|canceled)/.test(field('state'))) continue
      console.log(`${field('state')} ${field('message')}: writes were paused for ${field('write_pause_ms')} ms`)
      return
    }
  }

  private reshard(): Promise<void> {
    const { slots, port, cli } = this.options
    const { ids } = this.cluster
    const words = ['--cluster', 'reshard', `127.0.0.1:${port}`, '--cluster-from', ids[0], '--cluster-to', ids[1]]
    const rest = ['--cluster-slots', String(slots), '--cluster-yes']
    return new Promise((resolve, reject) => {
      execFile(cli, [...words, ...rest], { maxBuffer: 1 << 28 }, (failure, output) => {
        if (failure === null) resolve()
        else reject(new Error(output.slice(-2000)))
      })
    })
  }

  private async moveHash(): Promise<void> {
    const { nodes, ids } = this.cluster
    await nodes[1].call('CLUSTER', 'SETSLOT', '0', 'IMPORTING', ids[0])
    await nodes[0].call('CLUSTER', 'SETSLOT', '0', 'MIGRATING', ids[1])
    const reply = await nodes[0].call('MIGRATE', '127.0.0.1', String(nodes[1].port), this.hash, '0', '600000')
    if (reply !== 'OK') throw new Error(String(reply))
    for (const node of [...nodes].reverse()) await node.call('CLUSTER', 'SETSLOT', '0', 'NODE', ids[1])
    console.log(`the target's hash has ${await nodes[1].call('HLEN', this.hash)} fields`)
  }
}

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    slots: { type: 'string', default: '4096' },
    bytes: { type: 'string', default: '1000' },
    way: { type: 'string', default: 'whole' },
    port: { type: 'string', default: '22000' },
    server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
    cli: { type: 'string', default: 'redis-cli' },
    fields: { type: 'string', default: '0' },
  },
})
const run = new MoveRun({
  ...{ way: values.way, server: values.server, cli: values.cli },
  ...{ mib: Number(values.mib), slots: Number(values.slots), bytes: Number(values.bytes) },
  ...{ port: Number(values.port), fields: Number(values.fields) },
})
try {
  await run.run()
} finally {
  await run.end()
}
