// A day in the life of a server, in an hour:
//
//   npx bun test/life/day.ts [--minutes 60] [--seed 1] [--server bin/redstart] [--port 25900] [--pause 1]
//
// Four client libraries write, read and check, half of them over TLS, while the server evicts, saves, rewrites its log,
// gets other settings, certificates and users, and is abused; in the first half it is killed three times (SIGKILL,
// appendfsync everysec). The short form takes a minute (--minutes 1). --pause: milliseconds that each client waits
// after 15 commands; with 30 the processor is left to others.
//
//   0 ─ kill ─ kill ─ kill ─ 1/2 ──── memory is measured ──── 1
//
// Prints what happened. Exits with 1 if a reply was wrong, the server ended by itself, more than two seconds are lost,
// or the resident memory of the last quarter is above that of the third by more than a fifth and 32 MB.

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Certificates } from '../harness/certificates.ts'
import { RespError } from '../harness/resp.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { Frames } from '../hostile/frames.ts'
import { projectRoot } from '../tidy/source.ts'
import { openers } from './clients.ts'
import { Worker } from './worker.ts'

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
    port: { type: 'string', default: '25900' },
    pause: { type: 'string', default: '1' },
  },
})
const dayMs = Number(options.minutes) * 60_000
const port = Number(options.port)
const tlsPort = port + 1
const KILLS_AT = [0.15, 0.28, 0.42]
const LOSS_MS = 2000
const EVENTS = 48
const SAMPLES = 4
const SLACK_BYTES = 32 * 1024 * 1024

const files = new Certificates()
files.authority('ca')
files.signed('client')
files.signed('day')
files.signed('night')
const folder = files.path('server')
const frames = new Frames(Number(options.seed))
const faults: string[] = []

function useCertificate(name: string): void {
  copyFileSync(files.path(`${name}.crt`), files.path('current.crt'))
  copyFileSync(files.path(`${name}.key`), files.path('current.key'))
}

mkdirSync(folder)
useCertificate('day')
writeFileSync(
  join(folder, 'redis.conf'),
  `tls-port ${tlsPort}
appendonly yes
appendfsync everysec
maxmemory 12mb
maxmemory-policy volatile-lru
auto-aof-rewrite-percentage 0
enable-debug-command local
tls-cert-file ${files.path('current.crt')}
tls-key-file ${files.path('current.key')}
tls-ca-cert-file ${files.path('ca.crt')}
`,
)

class Life {
  private server!: ServerProcess
  private killing = false

  async start(): Promise<void> {
    const server = await ServerProcess.start(`${options.server} ${folder}/redis.conf`, folder, { port: String(port) })
    this.server = server
    this.killing = false
    void server.ended.then(how => {
      if (!this.killing) faults.push(`the server ended with ${how}: ${server.log}`)
    })
  }

  call(...words: string[]) {
    return this.server.call(...words)
  }

  async must(...words: string[]): Promise<void> {
    const reply = await this.call(...words)
    if (reply instanceof RespError) faults.push(`${words.join(' ')}: ${reply.message}`)
  }

  async number(field: string): Promise<number> {
    return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(String(await this.call('INFO')))?.[1])
  }

  async kill(workers: readonly Worker[]): Promise<void> {
    this.killing = true
    const killedMs = performance.now()
    await this.server.kill()
    await this.start()
    // The workers come back a little later: what is found is what was on disk.
    for (const worker of workers)
      worker.checkAfterKill(Number(await this.call('GET', `n:${worker.name}`)), killedMs, LOSS_MS)
  }

  async end(): Promise<void> {
    this.killing = true
    this.server.signal('SIGTERM')
    await this.server.ended
    this.server.connection.close()
  }
}

const life = new Life()
let turn = 0

/** Sends damaged frames, reads nothing, and is gone. */
async function abuse(): Promise<void> {
  const sockets: Socket[] = []
  for (let i = 0; i < 20; i++) {
    const socket = connect({ port: i % 2 === 0 ? port : tlsPort, host: '127.0.0.1' })
    socket.on('error', () => {})
    socket.pause()
    for (let left = 10; left > 0; left--) socket.write(frames.next())
    sockets.push(socket)
  }
  await sleep(300)
  for (const socket of sockets) socket.destroy()
}

/** What happens to a server, one after the other. */
const events: readonly { what: string; run(): Promise<void> }[] = [
  { what: 'BGSAVE', run: () => life.must('BGSAVE', 'SCHEDULE') },
  {
    what: 'other limits',
    run: () => life.must('CONFIG', 'SET', 'maxmemory', turn % 2 ? '12mb' : '10mb', 'hz', turn % 2 ? '10' : '50'),
  },
  {
    what: 'another certificate',
    run: async () => useCertificate(turn % 2 ? 'day' : 'night'),
  },
  { what: 'BGREWRITEAOF', run: () => life.must('BGREWRITEAOF') },
  {
    what: 'users',
    run: () => life.must('ACL', 'SETUSER', `guest${turn % 5}`, 'on', '>secret', `~g${turn}:*`, '+@read'),
  },
  { what: 'abuse', run: abuse },
  { what: 'CONFIG REWRITE', run: () => life.must('CONFIG', 'REWRITE') },
  { what: 'connections are cut', run: () => life.must('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes') },
  { what: 'users leave', run: () => life.must('ACL', 'DELUSER', `guest${turn % 5}`) },
]

async function day(): Promise<void> {
  await life.start()
  const pauseMs = Number(options.pause)
  const workers = Object.entries(openers).flatMap(([name, open], i) =>
    [1, 2].map(n => {
      const opened = () => open({ port, tlsPort, files })
      return new Worker(`${name.replaceAll(' ', '-')}${n}`, opened, i * 10 + n, pauseMs)
    }),
  )
  const running = workers.map(worker => worker.run())
  const startMs = performance.now()
  const resident: { part: number; bytes: number }[] = []
  const kills = [...KILLS_AT]
  for (let part = 0; part < 1; part = (performance.now() - startMs) / dayMs) {
    if (kills.length > 0 && part >= kills[0]) {
      kills.shift()
      await life.kill(workers)
    } else {
      await events[turn % events.length].run()
      turn++
    }
    for (let i = 0; i < SAMPLES; i++) {
      await sleep(dayMs / EVENTS / SAMPLES)
      const now = (performance.now() - startMs) / dayMs
      if (now >= 0.5) resident.push({ part: now, bytes: await life.number('used_memory_rss') })
    }
    if (faults.length > 0) break
  }
  for (const worker of workers) worker.stop()
  await Promise.race([Promise.all(running), sleep(10_000)])
  report(workers, resident, await life.number('evicted_keys'))
  await life.end()
}

function report(
  workers: readonly Worker[],
  resident: readonly { part: number; bytes: number }[],
  evicted: number,
): void {
  for (const { name, calls, reconnects } of workers) console.log(`${name}: ${calls} calls, ${reconnects} reconnects`)
  const mean = (from: number, to: number) => {
    const some = resident.filter(({ part }) => part >= from && part < to)
    return some.reduce((sum, one) => sum + one.bytes, 0) / Math.max(1, some.length)
  }
  const [third, last] = [mean(0.5, 0.75), mean(0.75, 1)]
  const mb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`
  console.log(
    `${turn} events, ${KILLS_AT.length} kills, ${evicted} evicted keys; resident ${mb(third)}, then ${mb(last)}`,
  )
  faults.push(...workers.flatMap(worker => worker.wrong.slice(0, 5)))
  for (const { name, calls } of workers) if (calls === 0) faults.push(`${name} made no call`)
  if (evicted === 0) faults.push('nothing was evicted')
  if (third > 0 && last > third * 1.2 + SLACK_BYTES) faults.push(`memory grows: ${mb(third)}, then ${mb(last)}`)
}

await day()
for (const fault of faults) console.log(`FAULT ${fault}`)
console.log(faults.length === 0 ? 'a good day' : `${faults.length} faults`)
process.exit(faults.length === 0 ? 0 : 1)
