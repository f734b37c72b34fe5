// How long a restart takes: from a checkpoint of the values on disk, and from an RDB file of the same dataset.
//
//   REDIS_SERVER=/path/to/redis-server npx bun test/storage/restart.ts [--keys 1000000] [--bytes 1000] [--rounds 3]
//
//   DEBUG POPULATE ─▶ BGREWRITEAOF, SAVE ─▶ in turn: `storage disk`, `storage memory` from the RDB file, and
//   redis-server from it
//
// Prints for each the time from the start of the process until a GET is answered, its processor time and its memory.
// --rdb no: the checkpoint alone. --data FOLDER: the dataset is made there, and stays; it is used when it is there
// already. It needs Linux, the memory of the data, and twice its space where temporary files are.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { cpuSecondsOf, residentBytesOf } from '../harness/process-usage.ts'
import { PlainConnection, ServerProcess } from '../harness/server-process.ts'
import { freePort, sleep, untilListening } from '../harness/target.ts'
import { OURS } from '../replication/chain.ts'

const { values: options } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    bytes: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    limit: { type: 'string', default: '64mb' },
    rdb: { type: 'string', default: 'yes' },
    data: { type: 'string' },
    command: { type: 'string', default: OURS },
    folder: { type: 'string', default: tmpdir() },
  },
})
const keys = Number(options.keys)

interface Start {
  seconds: number
  cpuSeconds: number
  residentMb: number
}

/** Starts a server until it has answered a GET, and kills it. */
async function start(command: string, folder: string, more: Readonly<Record<string, string>>): Promise<Start> {
  const port = await freePort()
  const directives = { port: String(port), bind: '127.0.0.1', dir: folder, logfile: join(folder, 'log'), ...more }
  const words = Object.entries({ save: '', ...directives }).flatMap(([name, value]) => [`--${name}`, value])
  const beganMs = performance.now()
  const child: ChildProcess = spawn(command, words, { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise(resolve => child.once('exit', resolve))
  try {
    await untilListening(port, child)
    const connection = new PlainConnection(port)
    for (;;) {
      const reply = await Promise.race([connection.call('GET', `key:${keys >>> 1}`), ended])
      if (child.exitCode !== null) throw new Error(readFileSync(join(folder, 'log'), 'latin1').slice(-2000))
      if (typeof reply === 'string' && reply.startsWith('value:')) break
      await sleep(5)
    }
    const seconds = (performance.now() - beganMs) / 1000
    const cpuSeconds = cpuSecondsOf(child.pid!)
    const residentMb = residentBytesOf(child.pid!) / (1 << 20)
    const size = await connection.call('DBSIZE')
    if (size !== keys) throw new Error(`${size} keys instead of ${keys}`)
    connection.close()
    return { seconds, cpuSeconds, residentMb }
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

const DISK = { appendonly: 'yes', storage: 'disk', 'storage-memory': options.limit }

/** Makes the dataset: a checkpoint in `onDisk`, and an RDB file. */
async function make(onDisk: string, rdb: string): Promise<void> {
  const server = await ServerProcess.start(options.command, onDisk, {
    ...DISK,
    'storage-memory': '0',
    save: '',
    rdbcompression: 'no',
    'auto-aof-rewrite-percentage': '0',
    'enable-debug-command': 'yes',
  })
  try {
    await server.call('DEBUG', 'POPULATE', keys, 'key', options.bytes)
    await server.call('BGREWRITEAOF')
    const running = async () => /aof_rewrite_in_progress:1/.test(String(await server.call('INFO', 'persistence')))
    do await sleep(100)
    while (await running())
    if (options.rdb === 'yes') {
      await server.call('SAVE')
      renameSync(join(onDisk, 'dump.rdb'), rdb)
    }
    void server.call('SHUTDOWN', 'NOSAVE')
    await server.ended
  } finally {
    await server.kill()
  }
}

async function run(folder: string): Promise<void> {
  const onDisk = join(folder, 'disk')
  const withRdb = join(folder, 'rdb')
  if (!existsSync(onDisk)) {
    mkdirSync(onDisk)
    mkdirSync(withRdb)
    await make(onDisk, join(withRdb, 'dump.rdb'))
  }
  const kinds: [name: string, command: string, folder: string, more: Record<string, string>][] = [
    ['checkpoint', options.command, onDisk, DISK],
  ]
  if (options.rdb === 'yes') {
    kinds.push(['RDB file', options.command, withRdb, {}])
    const { REDIS_SERVER } = process.env
    if (REDIS_SERVER !== undefined) kinds.push(['redis-server, RDB file', REDIS_SERVER, withRdb, {}])
  }
  const best = new Map<string, Start>()
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [name, command, where, more] of kinds) {
      const one = await start(command, where, more)
      const { seconds, cpuSeconds, residentMb } = one
      console.log(`${name}: ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s CPU, ${residentMb.toFixed(0)} MB`)
      if (seconds < (best.get(name)?.seconds ?? Number.POSITIVE_INFINITY)) best.set(name, one)
    }
  const checkpoint = best.get('checkpoint')
  for (const [name, other] of best) {
    if (checkpoint === undefined || name === 'checkpoint') continue
    const times = (other.seconds / checkpoint.seconds).toFixed(1)
    const cpuTimes = (other.cpuSeconds / checkpoint.cpuSeconds).toFixed(1)
    console.log(`${name} takes ${times} times as long as a checkpoint, ${cpuTimes} times the processor time`)
  }
}

const folder = options.data ?? mkdtempSync(join(options.folder, 'redstart-restart-'))
try {
  await run(folder)
} finally {
  if (options.data === undefined) rmSync(folder, { recursive: true, force: true })
}
