// A siege: minutes of seeded hostile input against a server in its own process.
//
//   npx bun test/hostile/siege.ts --seconds 600 --seed 1 [--server 'bin/redstart'] [--crowd 10000]
//
// Damaged and incomplete frames, announced huge arguments, floods of commands whose replies are not read, crowds of
// connections that are reset or dropped. Meanwhile a well-behaved client checks every reply. At the end all disconnect,
// keys and scripts are deleted, and memory is compared with the beginning. Exits with 1 when a reply was wrong, the
// server ended, or memory is left.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpuSecondsOf, residentBytesOf } from '../harness/process-usage.ts'
import { encodeCommand } from '../harness/resp.ts'
import { projectRoot } from '../tidy/source.ts'
import { Frames } from './frames.ts'
import { Bystander } from './victim.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    server: { type: 'string', default: join(projectRoot, 'bin/redstart') },
    port: { type: 'string', default: '25990' },
    crowd: { type: 'string', default: '10000' },
  },
})
const port = Number(values.port)
const ATTACKERS = 20
/** Allowed difference: buffers that the runtime reuses for later connections. */
const LEFT_BYTES_MAX = 96 * 1024 * 1024

const frames = new Frames(Number(values.seed))
const sent = new Map<string, number>()
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

async function open(): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  await new Promise<void>(resolve => socket.once('connect', resolve).once('close', () => resolve()))
  return socket
}

/** One kind of hostile behaviour over one connection. */
type Attack = (socket: Socket) => Promise<void>

const attacks: { readonly [name: string]: Attack } = {
  async damagedFrames(socket) {
    socket.resume()
    for (let left = 1 + frames.below(50); left > 0 && !socket.destroyed; left--) {
      socket.write(frames.next())
      if (frames.below(4) === 0) await sleep(0)
    }
  },
  async halfAndHang(socket) {
    const whole = encodeCommand(['SET', 'k1', 'x'.repeat(1 + frames.below(100_000))])
    socket.write(whole.subarray(0, 1 + frames.below(whole.length - 1)))
    await sleep(frames.below(3000))
  },
  async byteByByte(socket) {
    socket.resume()
    for (const byte of encodeCommand(['SET', 'k1', 'slow'])) {
      if (socket.destroyed) return
      socket.write(Uint8Array.of(byte))
      await sleep(frames.below(4))
    }
  },
  async hugePromises(socket) {
    socket.resume()
    const bulk = 1 + frames.below(512 * 1024 * 1024)
    const count = 1 + frames.below(1_000_000)
    socket.write(frames.below(2) === 0 ? `*2\r\n$3\r\nGET\r\n$${bulk}\r\nabc` : `*${count}\r\n$1\r\na\r\n$1\r\nb\r\n`)
    await sleep(frames.below(500))
  },
  async floodWithoutReading(socket) {
    socket.pause()
    const flood = encodeCommand(['COMMAND'])
    for (let left = frames.below(40); left > 0 && !socket.destroyed; left--) socket.write(flood)
    await sleep(frames.below(1500))
  },
  async longPipeline(socket) {
    socket.resume()
    const one = encodeCommand(['INCRBY', 'k2', '1'])
    const many = new Uint8Array(one.length * 500)
    for (let i = 0; i < 500; i++) many.set(one, i * one.length)
    socket.write(many)
    await sleep(frames.below(200))
  },
  async waitForEver(socket) {
    const words = [
      ['BLPOP', 'never', '0'],
      ['SUBSCRIBE', 'a', 'b'],
      ['MONITOR'],
      ['XREAD', 'BLOCK', '0', 'STREAMS', 'never', '$'],
    ]
    socket.resume()
    socket.write(encodeCommand(words[frames.below(words.length)]))
    await sleep(frames.below(2000))
  },
}

async function attacker(untilMs: number): Promise<void> {
  const names = Object.keys(attacks)
  while (Date.now() < untilMs) {
    const name = names[frames.below(names.length)]
    sent.set(name, (sent.get(name) ?? 0) + 1)
    const socket = await open()
    await attacks[name](socket)
    const end = frames.below(3)
    if (end === 0) socket.end()
    else if (end === 1) socket.destroy()
    else socket.resetAndDestroy()
  }
}

/** Connections that are opened and closed without a command. */
async function crowd(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 100) {
    const sockets = await Promise.all(Array.from({ length: Math.min(100, left) }, open))
    for (const socket of sockets) socket.destroy()
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-siege-'))
  const words = [
    ...values.server.split(' '),
    '--port',
    values.port,
    '--dir',
    folder,
    '--save',
    '',
    '--loglevel',
    'warning',
  ]
  const limits = ['--client-output-buffer-limit', 'normal 32mb 16mb 5', '--proto-max-bulk-len', '512mb']
  const server = spawn(words[0], [...words.slice(1), ...limits], { stdio: ['ignore', 'inherit', 'inherit'] })
  let left: string | undefined
  server.on('exit', code => (left = `the server ended with ${code}`))
  try {
    await serving()
    const before = await figures()
    const untilMs = Date.now() + Number(values.seconds) * 1000
    const attackers = Array.from({ length: ATTACKERS }, () => attacker(untilMs))
    const waits = await behave(untilMs, before.pid, () => left)
    await Promise.all(attackers)
    await crowd(Number(values.crowd))
    assert.equal(left, undefined)
    const after = await cleared()
    console.log(`attacks: ${[...sent].map(([name, count]) => `${name} ${count}`).join(', ')}; crowd ${values.crowd}`)
    console.log(`before: ${JSON.stringify(before)}`)
    console.log(`after:  ${JSON.stringify(after)}`)
    console.log(`the longest wait of a client that behaves, for three answers: ${waits.longestMs.toFixed(0)} ms`)
    console.log(`the most processor time that the server took meanwhile: ${waits.cpuMs} ms`)
    assert.equal(after.clients, before.clients)
    assert.ok(after.used <= before.used + 64 * 1024, 'used_memory has grown')
    assert.ok(after.rss <= before.rss + LEFT_BYTES_MAX, 'the resident memory has grown')
  } finally {
    server.removeAllListeners('exit')
    const gone = new Promise(resolve => server.once('exit', resolve))
    server.kill()
    await gone
    rmSync(folder, { recursive: true, force: true })
  }
}

async function serving(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    const socket = await open()
    const works = !socket.destroyed
    socket.destroy()
    if (works) return
    await sleep(50)
  }
  throw new Error('the server does not come up')
}

/** Sends commands continuously until then. On shared processors only the server's CPU time explains a wait. */
async function behave(untilMs: number, pid: number, left: () => string | undefined) {
  const bystander = new Bystander(await open())
  const waits = { longestMs: 0, cpuMs: 0 }
  let checks = 0
  while (Date.now() < untilMs) {
    assert.equal(left(), undefined)
    const startMs = performance.now()
    const startCpuMs = cpuMsOf(pid)
    await bystander.check()
    waits.longestMs = Math.max(waits.longestMs, performance.now() - startMs)
    waits.cpuMs = Math.max(waits.cpuMs, cpuMsOf(pid) - startCpuMs)
    checks++
    await sleep(1)
  }
  bystander.leave()
  console.log(`${checks} times right`)
  return waits
}

/** Processor time of all threads; 0 where the operating system does not report it. */
function cpuMsOf(pid: number): number {
  return process.platform === 'linux' ? cpuSecondsOf(pid) * 1000 : 0
}

interface Figures {
  pid: number
  clients: number
  used: number
  rss: number
}

async function figures(): Promise<Figures> {
  const text = await ask(['INFO', 'everything'])
  const field = (name: string) => Number(new RegExp(`\\b${name}:(\\d+)`).exec(text)![1])
  const pid = field('process_id')
  const rss = process.platform === 'linux' ? residentBytesOf(pid) : field('used_memory_rss')
  return { pid, clients: field('connected_clients'), used: field('used_memory'), rss }
}

/** Deletes all data and waits until the server is idle. */
async function cleared(): Promise<Figures> {
  for (const words of [['FLUSHALL'], ['SCRIPT', 'FLUSH'], ['CONFIG', 'RESETSTAT'], ['SLOWLOG', 'RESET']])
    await ask(words)
  let last = await figures()
  for (let turn = 0; turn < 30; turn++) {
    await ask(['MEMORY', 'PURGE'])
    await sleep(1000)
    const now = await figures()
    if (now.clients === 1 && turn > 5 && Math.abs(now.rss - last.rss) < 1024 * 1024) return now
    last = now
  }
  return last
}

/** One command over its own connection; returns the bytes received until there are no more. */
async function ask(words: readonly string[]): Promise<string> {
  const socket = await open()
  let text = ''
  socket.on('data', bytes => (text += bytes.toString('latin1')))
  socket.write(encodeCommand(words))
  while (text === '' || !text.endsWith('\r\n')) await sleep(5)
  socket.destroy()
  return text
}

await main()
