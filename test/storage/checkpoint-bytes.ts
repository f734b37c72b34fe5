// What a checkpoint writes after a part of the keys has changed, beside BGREWRITEAOF of redis-server:
//
//   npx bun test/storage/checkpoint-bytes.ts [--gigabytes 1] [--limit 0.1] [--changed 0.01] [--rounds 3]
//     [--server /path/to/redis-server]
//
//   mixed values ─▶ BGREWRITEAOF ─▶ some keys at random get other values ─▶ BGREWRITEAOF, whose bytes are counted
//
// Prints the bytes that each process has written meanwhile. Ours moves values to disk while keys change, too: the
// checkpoint need not write those again, and they count with it. It needs Linux; redis-server the memory of the data;
// and twice the data where temporary files are.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writtenBytesOf } from '../harness/process-usage.ts'
import { randomFrom } from '../harness/random.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { OURS } from '../replication/chain.ts'
import { meanBytes, writeOf } from './mixed-values.ts'
import { sendAll } from './pipeline-connection.ts'

const { values: options } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '1' },
    limit: { type: 'string', default: '0.1' },
    changed: { type: 'string', default: '0.01' },
    rounds: { type: 'string', default: '3' },
    server: { type: 'string' },
    command: { type: 'string', default: OURS },
    folder: { type: 'string', default: tmpdir() },
  },
})
const dataBytes = Number(options.gigabytes) * 1e9
const keys = Math.round(dataBytes / meanBytes())
const changes = Math.round(keys * Number(options.changed))
const IDLE_MS = 1500

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`

async function infoOf(server: ServerProcess): Promise<(name: string) => number> {
  const text = String(await server.call('INFO', 'everything'))
  return name => Number(new RegExp(`^${name}:([0-9.]*)`, 'm').exec(text)?.[1] ?? 0)
}

/** BGREWRITEAOF from its begin to its end. Returns the bytes that were written. */
async function rewrite(server: ServerProcess): Promise<number> {
  // What was to be written before is.
  await sleep(IDLE_MS)
  const before = writtenBytesOf(server.pid)
  await server.call('BGREWRITEAOF')
  const isRunning = (info: (name: string) => number) =>
    info('aof_rewrite_in_progress') + info('aof_rewrite_scheduled') > 0
  do await sleep(100)
  while (isRunning(await infoOf(server)))
  // A child's bytes are counted when it has ended.
  await sleep(IDLE_MS)
  return writtenBytesOf(server.pid) - before
}

interface Cost {
  /** Of BGREWRITEAOF. */
  bytes: number
  /** Of values that were moved to disk before it, since the last one. */
  earlierBytes: number
}

/** The cost of each round's checkpoint. */
async function measure(name: string, command: string, more: Readonly<Record<string, string>>): Promise<Cost[]> {
  const folder = mkdtempSync(join(options.folder, 'redstart-checkpoint-'))
  const directives = { save: '', appendonly: 'yes', 'auto-aof-rewrite-percentage': '0', ...more }
  const server = await ServerProcess.start(command, folder, directives)
  const costs: Cost[] = []
  try {
    await sendAll(server.port, keys, key => writeOf(key))
    const first = await rewrite(server)
    console.log(`${name}: ${keys} keys, ${mb(dataBytes)} as commands; the first checkpoint: ${mb(first)}`)
    const below = randomFrom(5)
    for (let version = 1; version <= Number(options.rounds); version++) {
      const before = (await infoOf(server))('storage_written_bytes')
      await sendAll(server.port, changes, () => writeOf(below(keys), version))
      await sleep(IDLE_MS)
      const earlierBytes = (await infoOf(server))('storage_written_bytes') - before
      const bytes = await rewrite(server)
      costs.push({ bytes, earlierBytes })
      console.log(`  after ${changes} changes: ${mb(bytes)}; values moved to disk before: ${mb(earlierBytes)}`)
    }
    return costs
  } finally {
    await server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

const ours = await measure('Redstart', options.command, {
  storage: 'disk',
  'storage-memory': String(Math.round(dataBytes * Number(options.limit))),
})
if (options.server !== undefined) {
  const theirs = await measure('redis-server', options.server, {})
  const shares = ours.map(({ bytes, earlierBytes }, i) => {
    const of = (part: number) => `${((100 * part) / theirs[i].bytes).toFixed(2)} %`
    return `${of(bytes)}, with what went before ${of(bytes + earlierBytes)}`
  })
  console.log(`of redis-server's bytes: ${shares.join('; ')}`)
}
