// A server at maxmemory, written to with values of one size after another; then most of it is deleted.
//
//   npx bun test/life/limit.ts [--minutes 10] [--mb 200] [--server bin/redstart] [--policy allkeys-lru] [--phase 10]
//
//   redis-benchmark: SET of 100, 10,000, 1,000 … bytes, --phase seconds each ─▶ server ◀─ probe: PING, sometimes INFO
//   then DEL of nine keys of ten, and a minute's wait
//
// Prints, for each phase, the highest of used memory, of resident memory, of the pages in use and of the waits for a
// reply. Exits with 1 if used memory was more than 2 % above the limit, resident memory above 1.15 × the limit + 60 MB,
// or, a minute after the deletion, above 1.3 × what is live + 60 MB. Waits are printed, not judged.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { residentBytesOf } from '../harness/process-usage.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { projectRoot } from '../tidy/source.ts'

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    mb: { type: 'string', default: '200' },
    server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
    policy: { type: 'string', default: 'allkeys-lru' },
    phase: { type: 'string', default: '10' },
    sizes: { type: 'string', default: '100,10000,1000,20000,300,3000,50000,600' },
  },
})
const MB = 1024 * 1024
const limitBytes = Number(options.mb) * MB
const sizes = options.sizes.split(',').map(Number)
const PROBE_MS = 2
const SAMPLE_MS = 250
const DELETE_BATCH = 500
const AFTER_SECONDS = [1, 5, 10, 30, 60]

const folder = mkdtempSync(join(tmpdir(), 'limit-'))
const server = await ServerProcess.start(options.server, folder, {
  maxmemory: String(limitBytes),
  'maxmemory-policy': options.policy,
  save: '',
  appendonly: 'no',
})
const faults: string[] = []
const high = { used: 0, resident: 0, pages: 0, waitMs: 0 }
let isOver = false

const mb = (bytes: number) => (bytes / MB).toFixed(0).padStart(4)

async function figures(): Promise<{ used: number; pages: number }> {
  const info = String(await server.call('INFO', 'memory'))
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1])
  return { used: field('used_memory'), pages: field('allocator_resident') }
}

async function probe(): Promise<void> {
  for (let sampledMs = 0; !isOver; await sleep(PROBE_MS)) {
    const beganMs = performance.now()
    await server.call('PING')
    high.waitMs = Math.max(high.waitMs, performance.now() - beganMs)
    if (beganMs - sampledMs < SAMPLE_MS) continue
    sampledMs = beganMs
    const { used, pages } = await figures()
    high.used = Math.max(high.used, used)
    high.pages = Math.max(high.pages, pages)
    high.resident = Math.max(high.resident, residentBytesOf(server.pid))
  }
}

function load(size: number): ChildProcess {
  const target = ['-h', server.host, '-p', String(server.port)]
  const words = ['-n', '2000000000', '-c', '8', '-P', '8', '-r', '100000000', '-d', String(size), '-q', '-t', 'set']
  return spawn('redis-benchmark', [...target, ...words], { stdio: 'ignore' })
}

async function writeAtLimit(): Promise<void> {
  const phases = Math.max(1, Math.round((Number(options.minutes) * 60) / Number(options.phase)))
  for (let i = 0; i < phases; i++) {
    const size = sizes[i % sizes.length]
    Object.assign(high, { used: 0, resident: 0, pages: 0, waitMs: 0 })
    const child = load(size)
    await sleep(Number(options.phase) * 1000)
    child.kill()
    const text = `${String(size).padStart(6)} bytes: used ${mb(high.used)} pages ${mb(high.pages)} resident ${mb(high.resident)}`
    console.log(`${text} now ${mb(residentBytesOf(server.pid))} MB, longest ${high.waitMs.toFixed(1)} ms`)
    if (high.used > limitBytes * 1.02) faults.push(`used ${mb(high.used)} MB with values of ${size}`)
    if (high.resident > limitBytes * 1.15 + 60 * MB)
      faults.push(`resident ${mb(high.resident)} MB with values of ${size}`)
  }
}

async function deleteMost(): Promise<void> {
  for (let cursor = '0'; ; ) {
    const [next, keys] = (await server.call('SCAN', cursor, 'COUNT', String(DELETE_BATCH))) as [string, string[]]
    const doomed = keys.filter((_, i) => i % 10 !== 0)
    if (doomed.length > 0) await server.call('DEL', ...doomed)
    cursor = next
    if (cursor === '0') break
  }
  let waitedSeconds = 0
  let resident = 0
  let live = 0
  for (const seconds of AFTER_SECONDS) {
    await sleep((seconds - waitedSeconds) * 1000)
    waitedSeconds = seconds
    resident = residentBytesOf(server.pid)
    live = (await figures()).used
    console.log(`${seconds} s after the deletion: live ${mb(live)} resident ${mb(resident)} MB`)
  }
  if (resident > live * 1.3 + 60 * MB) faults.push(`resident ${mb(resident)} MB, live ${mb(live)}`)
}

const probing = probe()
await writeAtLimit()
await deleteMost()
isOver = true
await probing
await server.kill()
rmSync(folder, { recursive: true })
for (const fault of faults) console.log(`above the limit: ${fault}`)
process.exit(faults.length === 0 ? 0 : 1)
