// Data larger than memory: a server with `storage disk` under a limit of a tenth of what it has.
//
//   npx bun test/storage/larger-than-memory.ts [--gigabytes 5] [--limit 0.1] [--reads 200000] [--seconds 20]
//
//   fill ─▶ cold reads, beside bare reads of the same places ─▶ Zipf reads ─▶ hot GETs alone, and while there are
//   faults, writes, compaction and a checkpoint ─▶ hot GETs beside a server with `storage memory`
//
// Prints for each part the peak of resident memory against the limit, and what it is about. It needs Linux, the space
// of one and a half times the data where temporary files are, and, for cold reads, files that can be dropped from the
// page cache (dd).

import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, read, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs, promisify } from 'node:util'
import { cpuSecondsOf, residentBytesOf } from '../harness/process-usage.ts'
import { randomFrom } from '../harness/random.ts'
import { encodeCommand } from '../harness/resp.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { OURS } from '../replication/chain.ts'
import { meanBytes, nameOf, readOf, stringBytes, writeOf, zipf } from './mixed-values.ts'
import { PipelineConnection, sendAll } from './pipeline-connection.ts'

const { values: options } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '5' },
    limit: { type: 'string', default: '0.1' },
    reads: { type: 'string', default: '200000' },
    seconds: { type: 'string', default: '20' },
    command: { type: 'string', default: OURS },
    folder: { type: 'string', default: tmpdir() },
  },
})
const dataBytes = Number(options.gigabytes) * 1e9
const limitBytes = Math.round(dataBytes * Number(options.limit))
const keys = Math.round(dataBytes / meanBytes())
const below = randomFrom(7)
const fraction = () => below(0x40000000) / 0x40000000
const COLD_READS = 2000
const HOT_KEYS = 1000

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

/** A server whose memory is watched. */
class Watched {
  readonly server: ServerProcess
  private residentMax = 0
  private usedMax = 0
  private readonly timer: NodeJS.Timeout

  constructor(server: ServerProcess) {
    this.server = server
    this.timer = setInterval(() => this.sample(), 50)
  }

  private sample(): void {
    this.residentMax = Math.max(this.residentMax, residentBytesOf(this.server.pid))
  }

  /** Processor time of the main thread, or of all. */
  cpuSeconds(all = false): number {
    return cpuSecondsOf(this.server.pid, all ? 'all' : 'main')
  }

  async info(): Promise<(name: string) => number> {
    const text = String(await this.server.call('INFO', 'memory', 'persistence', 'storage'))
    return name => Number(new RegExp(`^${name}:([0-9.]*)`, 'm').exec(text)?.[1] ?? 0)
  }

  /** Resident and used memory since the last call. */
  async report(part: string, text: string): Promise<void> {
    const info = await this.info()
    this.sample()
    this.usedMax = info('used_memory_peak')
    const ratio = (this.residentMax / limitBytes).toFixed(2)
    const now = `used ${mb(info('used_memory'))} (peak ${mb(this.usedMax)}), arena ${mb(info('allocator_active'))}`
    console.log(`${part}: ${text}\n  resident at most ${mb(this.residentMax)}, ${ratio} × limit; ${now}`)
    this.residentMax = 0
  }

  stop(): Promise<void> {
    clearInterval(this.timer)
    return this.server.kill()
  }
}

function percentiles(values: number[]): string {
  values.sort((a, b) => a - b)
  const at = (part: number) => values[Math.min(values.length - 1, Math.floor(part * values.length))].toFixed(2)
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, longest ${at(1)} ms`
}

async function timed(run: () => Promise<unknown>, into: number[]): Promise<void> {
  const startMs = performance.now()
  await run()
  into.push(performance.now() - startMs)
}

/** Drops files from the page cache. */
function forget(folder: string): void {
  for (const name of readdirSync(folder))
    spawnSync('dd', [`of=${join(folder, name)}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'])
}

const readAt = promisify(read)

/** Values that are on disk, each read alone: by the server, and by this process from the same places. */
async function coldReads(watched: Watched, values: string): Promise<void> {
  const { server } = watched
  const cold: { key: number; segment: string; offset: number; bytes: number }[] = []
  while (cold.length < COLD_READS) {
    const key = below(keys)
    const place = /^value:disk segment:(\d+) offset:(\d+) bytes:(\d+)/.exec(
      String(await server.call('DEBUG', 'STORAGE', nameOf(key))),
    )
    if (place === null) continue
    cold.push({ key, segment: place[1], offset: Number(place[2]), bytes: Number(place[3]) })
  }
  const fds = new Map<string, number>()
  const bare: number[] = []
  const faults: number[] = []
  // The server's own latencies begin anew.
  await server.call('CONFIG', 'RESETSTAT')
  for (const { segment } of cold)
    if (!fds.has(segment)) fds.set(segment, openSync(join(values, `value-${segment}.log`), 'r'))
  // In turn, so that what else the machine does is the same for both.
  for (let from = 0; from < COLD_READS; from += COLD_READS / 4) {
    const some = cold.slice(from, from + COLD_READS / 4)
    forget(values)
    for (const { segment, offset, bytes } of some)
      await timed(() => readAt(fds.get(segment)!, Buffer.alloc(bytes), 0, bytes, offset), bare)
    forget(values)
    for (const { key } of some) await timed(() => server.call(...readOf(key)), faults)
  }
  for (const fd of fds.values()) closeSync(fd)
  const info = await watched.info()
  const own = `p50 ${info('storage_fault_p50_usec') / 1000}, p99 ${info('storage_fault_p99_usec') / 1000} ms`
  const text = `through a client ${percentiles(faults)}; in the server ${own}; bare reads ${percentiles(bare)}`
  await watched.report('cold reads', text)
}

async function zipfReads(watched: Watched): Promise<void> {
  const before = await watched.info()
  const cpu = watched.cpuSeconds()
  let left = Number(options.reads)
  const startMs = performance.now()
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      const connection = new PipelineConnection(watched.server.port)
      while (left-- > 0) await connection.exchange(encodeCommand(readOf(zipf(keys, fraction))), 1)
      connection.close()
    }),
  )
  const seconds = (performance.now() - startMs) / 1000
  const after = await watched.info()
  const faults = after('storage_faults') - before('storage_faults')
  const share = ((100 * faults) / Number(options.reads)).toFixed(1)
  const us = ((1e6 * (watched.cpuSeconds() - cpu)) / Number(options.reads)).toFixed(1)
  await watched.report(
    'Zipf reads',
    `${(Number(options.reads) / seconds).toFixed(0)} a second, ${share} % faults, ${us} µs of processor time each`,
  )
}

function hotKeys(): number[] {
  const hot: number[] = []
  for (let key = 0; hot.length < HOT_KEYS; key++) if (stringBytes(key) > 0 && stringBytes(key) < 1000) hot.push(key)
  return hot
}

/** GETs of keys that are in memory, one each millisecond. */
async function probe(port: number, hot: number[], isOver: () => boolean): Promise<number[]> {
  const connection = new PlainConnection(port)
  const latencies: number[] = []
  for (let i = 0; !isOver(); i++) {
    await timed(() => connection.call('GET', nameOf(hot[i % hot.length])), latencies)
    await sleep(1)
  }
  connection.close()
  return latencies
}

/** Reads and writes of keys by Zipf's law and at random, until the process is killed: `--load PORT`. */
async function load(port: number): Promise<void> {
  const writer = async (version: number) => {
    const connection = new PipelineConnection(port)
    for (;;) {
      const { bytes, replies } = writeOf(HOT_KEYS * 2 + below(keys - HOT_KEYS * 2), version)
      await connection.exchange(bytes, replies)
    }
  }
  const reader = async () => {
    const connection = new PipelineConnection(port)
    for (;;) await connection.exchange(encodeCommand(readOf(below(keys))), 1)
  }
  await Promise.all([writer(1), writer(1), reader(), reader()])
}

async function hotUnderLoad(watched: Watched): Promise<void> {
  const { server } = watched
  const hot = hotKeys()
  const seconds = Number(options.seconds)
  for (const key of hot) await server.call('GET', nameOf(key))
  let until = performance.now() + 3000
  const alone = await probe(server.port, hot, () => performance.now() > until)
  const before = await watched.info()
  const child = Bun.spawn([process.execPath, import.meta.path, ...process.argv.slice(2)], {
    env: { ...process.env, LOAD_PORT: String(server.port) },
    stdout: 'inherit',
  })
  let rewrites = 0
  const rewriting = setInterval(
    () => {
      rewrites++
      void server.call('BGREWRITEAOF')
    },
    (seconds * 1000) / 3,
  )
  until = performance.now() + seconds * 1000
  const meanwhile = await probe(server.port, hot, () => performance.now() > until)
  clearInterval(rewriting)
  child.kill()
  await child.exited
  const after = await watched.info()
  const grown = (name: string) => after(name) - before(name)
  const work =
    `${grown('storage_faults')} faults, ${mb(grown('storage_written_bytes'))} written, ` +
    `${mb(grown('storage_moved_bytes'))} moved, ${rewrites} rewrites`
  const text = `GET alone ${percentiles(alone)}; meanwhile (${work}) ${percentiles(meanwhile)}`
  await watched.report('hot reads', text)
  const fill = after('storage_live_bytes') / (after('storage_bytes') - after('storage_held_bytes'))
  console.log(`  log: ${mb(after('storage_bytes'))}, held ${mb(after('storage_held_bytes'))}, ${fill.toFixed(2)} live`)
}

/** Processor time of a GET of a hot key, in a pipeline of 16. */
async function hits(watched: Watched, count: number): Promise<number> {
  const hot = hotKeys()
  const batches = Array.from({ length: 64 }, () =>
    Buffer.concat(Array.from({ length: 16 }, () => encodeCommand(['GET', nameOf(hot[below(hot.length)])]))),
  )
  const link = new PipelineConnection(watched.server.port)
  for (const batch of batches) await link.exchange(batch, 16)
  const cpu = watched.cpuSeconds(true)
  for (let i = 0; i < count / 16; i++) await link.exchange(batches[i % batches.length], 16)
  link.close()
  return ((watched.cpuSeconds(true) - cpu) * 1e6) / count
}

/** In turn on both servers. */
async function besideMemory(disk: Watched, memory: Watched): Promise<void> {
  const hot = new Set(hotKeys())
  await sendAll(memory.server.port, keys, key =>
    hot.has(key) ? writeOf(key) : { bytes: encodeCommand(['SET', nameOf(key), 'x']), replies: 1 },
  )
  const both: [number[], number[]] = [[], []]
  for (let round = 0; round < 4; round++) {
    both[0].push(await hits(disk, 200_000))
    both[1].push(await hits(memory, 200_000))
  }
  const [ours, theirs] = both.map(all => Math.min(...all))
  const text = `${ours.toFixed(2)} µs of processor time, with storage memory ${theirs.toFixed(2)}`
  await disk.report('hits', `${text}: ${(ours / theirs).toFixed(2)} ×`)
}

async function run(folder: string): Promise<void> {
  const directives = { save: '', 'enable-debug-command': 'yes' }
  const disk = new Watched(
    await ServerProcess.start(options.command, mkdtempSync(join(folder, 'disk-')), {
      ...directives,
      storage: 'disk',
      'storage-memory': String(limitBytes),
      appendonly: 'yes',
      'auto-aof-rewrite-percentage': '0',
    }),
  )
  let memory: Watched | undefined
  try {
    await disk.report('empty', `limit ${mb(limitBytes)}`)
    const seconds = await sendAll(disk.server.port, keys, key => writeOf(key))
    const { 1: dir } = (await disk.server.call('CONFIG', 'GET', 'dir')) as string[]
    const values = join(dir, 'appendonlydir/appendonly.aof.values')
    const info = await disk.info()
    const live = mb(info('storage_live_bytes'))
    await disk.report(
      'fill',
      `${keys} keys, ${live} live on disk, ${seconds.toFixed(0)} s, ${disk.cpuSeconds(true)} s CPU`,
    )
    await disk.server.call('BGREWRITEAOF')
    while ((await disk.info())('aof_rewrite_in_progress') > 0) await sleep(100)
    await disk.report('checkpoint', `${mb((await disk.info())('aof_base_size'))}`)
    await coldReads(disk, values)
    await zipfReads(disk)
    await hotUnderLoad(disk)
    memory = new Watched(
      await ServerProcess.start(options.command, mkdtempSync(join(folder, 'memory-')), {
        ...directives,
        appendonly: 'yes',
      }),
    )
    await besideMemory(disk, memory)
  } finally {
    await memory?.stop()
    await disk.stop()
  }
}

if (process.env.LOAD_PORT !== undefined) await load(Number(process.env.LOAD_PORT))
const folder = mkdtempSync(join(options.folder, 'redstart-larger-'))
try {
  await run(folder)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
