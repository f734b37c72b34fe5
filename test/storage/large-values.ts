// How long other clients wait while large values move to disk, come back, and are saved from there:
//
//   npx bun test/storage/large-values.ts [--megabytes 60] [--only string,hash] [--save] [--folder DIR]
//
// Linux or macOS; the folder needs some gigabytes. A second process asks one PING after another.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { encodeCommand, type Word } from '../harness/resp.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { OURS } from '../replication/chain.ts'
import { PipelineConnection } from './pipeline-connection.ts'

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '60' },
    only: { type: 'string', default: 'string,hash,zset,list,set,stream' },
    folder: { type: 'string', default: tmpdir() },
    save: { type: 'boolean', default: false },
    pings: { type: 'string' },
  },
})
const MEGABYTE = 1 << 20
const bytes = Number(values.megabytes) * MEGABYTE
const ELEMENT_BYTES = 64
const BATCH = 1000

/** The other process: prints the waits of a second as it is told. */
async function pingForever(port: number): Promise<void> {
  const connection = new PlainConnection(port)
  let waits: number[] = []
  process.stdin.on('data', () => {
    waits.sort((a, b) => a - b)
    const at = (share: number) => (waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? 0).toFixed(2)
    console.log(`p50 ${at(0.5)} p99 ${at(0.99)} p99.9 ${at(0.999)} max ${at(1)} ms of ${waits.length}`)
    waits = []
  })
  for (;;) {
    const begin = performance.now()
    await connection.call('PING')
    waits.push(performance.now() - begin)
  }
}

function element(i: number): string {
  return `${i} ${(i * 2654435761) % 4294967296} `.padEnd(ELEMENT_BYTES, 'x')
}

const FILLS: Readonly<Record<string, (from: number) => Word[]>> = {
  string: () => [],
  hash: from => ['hset', 'hash', ...batch(i => [`field ${from + i}`, element(from + i)])],
  zset: from => ['zadd', 'zset', ...batch(i => [from + i, element(from + i)])],
  list: from => ['rpush', 'list', ...batch(i => [element(from + i)])],
  set: from => ['sadd', 'set', ...batch(i => [element(from + i)])],
  stream: from => ['xadd', 'stream', '*', ...batch(i => [`f${i}`, element(from + i)])],
}

function batch(words: (i: number) => Word[]): Word[] {
  return Array.from({ length: BATCH }, (_, i) => words(i)).flat()
}

const READS: Readonly<Record<string, Word[]>> = {
  string: ['getrange', 'string', 0, 10],
  hash: ['hlen', 'hash'],
  zset: ['zcard', 'zset'],
  list: ['llen', 'list'],
  set: ['scard', 'set'],
  stream: ['xlen', 'stream'],
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

async function until(wanted: () => Promise<boolean>): Promise<void> {
  while (!(await wanted())) await sleep(20)
}

/** Asks the other process how long it has waited since the last time. */
class Waits {
  private readonly other: ChildProcess
  private printed: (line: string) => void = () => {}

  constructor(port: number) {
    const args = [...process.execArgv, process.argv[1], '--pings', String(port)]
    this.other = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.other.stdout!.on('data', data => this.printed(String(data).trim()))
  }

  take(): Promise<string> {
    return new Promise(resolve => {
      this.printed = resolve
      this.other.stdin!.write('x')
    })
  }

  async report(what: string): Promise<void> {
    console.log(`${what.padEnd(28)} ${await this.take()}`)
  }

  end(): void {
    this.other.kill()
  }
}

async function fill(server: ServerProcess, name: string): Promise<void> {
  if (name === 'string') {
    await server.call('set', 'string', Buffer.alloc(bytes, 'abcdefgh'))
    return
  }
  const pipeline = new PipelineConnection(server.port)
  for (let done = 0; done < bytes / ELEMENT_BYTES; done += BATCH)
    await pipeline.exchange(encodeCommand(FILLS[name](done)), 1)
  pipeline.close()
}

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(values.folder, 'redstart-large-'))
  const limit = (factor: number) => server.call('config', 'set', 'storage-memory', Math.floor(bytes * factor))
  const server = await ServerProcess.start(OURS, folder, {
    storage: 'disk',
    'storage-memory': '0',
    'storage-value-max': String(Math.floor(bytes * 2)),
    'enable-debug-command': 'yes',
    rdbcompression: 'no',
    save: '',
  })
  const waits = new Waits(server.port)
  await sleep(2000)
  await waits.take()
  await sleep(2000)
  await waits.report('idle')
  // Too large to be moved: the value is the only one that may be.
  for (let i = 0; i < 6; i++) await server.call('set', `other ${i}`, Buffer.alloc(Math.floor(bytes * 2.2)))
  for (const name of values.only.split(',')) {
    await limit(100)
    await fill(server, name)
    await waits.take()
    await limit(13)
    await until(async () => String(await server.call('debug', 'storage', name)).startsWith('value:disk'))
    await waits.report(`${name}: to disk`)
    await limit(100)
    if (values.save) {
      await server.call('bgsave')
      await until(async () => /rdb_bgsave_in_progress:0/.test(String(await server.call('info', 'persistence'))))
      await waits.report(`${name}: BGSAVE`)
    }
    const begin = performance.now()
    await server.call(...READS[name])
    await waits.report(`${name}: to memory, ${(performance.now() - begin).toFixed(0)} ms`)
    await server.call('unlink', name)
    await sleep(500)
  }
  waits.end()
  await server.kill()
  rmSync(folder, { recursive: true })
}

if (values.pings !== undefined) await pingForever(Number(values.pings))
else await measure()
