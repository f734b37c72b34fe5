// Cases: small conversations in plain text, with the answers that a redis-server gave: test/answers/*.cases.
//
//   = title                     begins a case: an empty server, new connections
//   options: --appendonly yes   directives of this case's server
//   mask: REGEX                 what matches is not compared in this case (times, ids, addresses)
//   > SET k "a\r\n\x00"         a command on the connection "main"; words as redis-cli reads them
//   b> BLPOP k 0                a command on another connection: without an answer in 0.3 s it is (waits); (closed), or
//                               (closed behind BYTES) of an array that is not whole
//   b<                          one more reply or message of that connection
//   sorted> SMEMBERS s          the order of the top level does not matter ("b,sorted>" on a connection)
//   raw> "PING\r\n"             bytes as they are; REPEAT(1000,x) within a word is x a thousand times
//   close b                     closes a connection
//   ~ 0.2                       waits so many seconds
//   aof                         the commands in the append-only files so far
//   info FIELD                  one line of INFO everything
//   alive                       the answer to a PING on a new connection
//   #= ANSWER                   what Redis 7.2.4 answers to the line before; written by ORACLE=write
//   ours: ANSWER                what ours answers instead: docs/differences.md tells why
//
// Always: ours runs on a virtual machine, so that waiting takes no time; a redis-server runs in a process.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { virtualSystem } from '../../src/system/virtual.ts'
import { MachineServer } from './machine.ts'
import { encodeCommand, latin1Bytes, latin1Text, ReplyReader } from './resp.ts'
import { ServerProcess } from './server-process.ts'
import { sleep } from './target.ts'
import { splitWords } from './words.ts'

const WAIT_MS = 300
const MAIN_WAIT_MS = 5000
const SHOWN_MAX = 4000
const REST_SHOWN_MAX = 1000
const ARRAY = 0x2a

export interface Step {
  line: string
  /** What Redis answers, and ours where it differs; '' for lines without an answer. */
  answer: string
  ours: string | undefined
}

export interface Case {
  title: string
  steps: Step[]
}

export function parseCases(text: string): Case[] {
  const cases: Case[] = []
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    const steps = cases.at(-1)?.steps
    if (line.startsWith('= ')) cases.push({ title: line.slice(2), steps: [] })
    else if (line.startsWith('#= ')) steps!.at(-1)!.answer = raw.trimStart().slice(3)
    else if (line.startsWith('ours: ')) steps!.at(-1)!.ours = line.slice(6)
    else if (line !== '' && !line.startsWith('#')) steps!.push({ line, answer: '', ours: undefined })
  }
  return cases
}

/** The text of cases; `head`: the comment that the file begins with. */
export function writeCases(head: string, cases: readonly Case[]): string {
  const lines = [head]
  for (const { title, steps } of cases) {
    lines.push(`= ${title}`)
    for (const { line, answer, ours } of steps) {
      lines.push(line)
      if (answer !== '') lines.push(`#= ${answer}`)
      if (ours !== undefined) lines.push(`ours: ${ours}`)
    }
    lines.push('')
  }
  return lines.join('\n')
}

/** The client side of one connection. */
interface CaseWire {
  write(bytes: Uint8Array): void
  close(): void
  reader: ReplyReader
  closed: boolean
}

/** A server that answers a case. */
interface CaseServer {
  open(): Promise<CaseWire>
  pass(ms: number): Promise<void>
  /** The content of the incremental append-only files. */
  files(): Promise<Uint8Array[]>
  stop(): Promise<void>
}

/** Runs a case; each step with what was answered. */
export async function run(one: Case, start: (directives: Record<string, string>) => Promise<CaseServer>) {
  const directives: Record<string, string> = {}
  for (const { line } of one.steps) {
    if (!line.startsWith('options:')) continue
    const words = splitWords(line.slice(8).trim())
    for (let i = 0; i + 1 < words.length; i += 2) directives[words[i].replace(/^--/, '')] = words[i + 1]
  }
  const asking = new Asking(await start(directives))
  const answers: string[] = []
  const masks = one.steps
    .filter(({ line }) => line.startsWith('mask:'))
    .map(({ line }) => new RegExp(line.slice(5).trim(), 'g'))
  try {
    for (const { line } of one.steps) {
      const said = /^(options|mask):/.test(line) ? '' : await asking.do(line)
      answers.push(masks.reduce((text, mask) => text.replace(mask, '~'), said))
    }
  } finally {
    await asking.server.stop()
  }
  return answers
}

class Asking {
  readonly server: CaseServer
  private readonly wires = new Map<string, CaseWire>()

  constructor(server: CaseServer) {
    this.server = server
  }

  /** The answer to a line; '' where there is none. */
  async do(line: string): Promise<string> {
    if (line.startsWith('~')) return this.wait(Number(line.slice(1)) * 1000)
    if (line.startsWith('close ')) return this.close(line.slice(6).trim())
    if (line === 'aof') return this.appended()
    if (line === 'alive') return this.once(['PING'])
    if (line.startsWith('info ')) return this.info(line.slice(5).trim())
    const parts = /^([a-z0-9_]*)(,sorted)?([<>])\s?(.*)$/.exec(line)
    assert.ok(parts, `not a line of a case: ${line}`)
    const isSorted = parts[2] !== undefined || parts[1] === 'sorted'
    const isMain = ['', 'main', 'raw', 'sorted'].includes(parts[1])
    const name = isMain ? 'main' : parts[1]
    const wire = this.wires.get(name) ?? (await this.server.open())
    this.wires.set(name, wire)
    const words = splitWords(parts[4]).map(word => latin1Bytes(repeated(word)))
    if (parts[1] === 'raw') for (const word of words) wire.write(word)
    else if (parts[3] === '>') wire.write(encodeCommand(words))
    const said = await this.read(wire, isMain ? MAIN_WAIT_MS : WAIT_MS, isSorted)
    // All that follows would be out of step.
    if (said === '(waits)' && isMain) this.close('main')
    return said
  }

  private async wait(ms: number): Promise<string> {
    await this.server.pass(ms)
    return ''
  }

  private close(name: string): string {
    this.wires.get(name)?.close()
    this.wires.delete(name)
    return ''
  }

  private async read(wire: CaseWire, ms: number, isSorted: boolean): Promise<string> {
    for (let left = ms; ; left -= 10) {
      const reply = wire.reader.next()
      if (reply !== undefined) return shown(reply, isSorted)
      if (wire.closed) return closed(wire)
      if (left <= 0) return '(waits)'
      await this.server.pass(10)
    }
  }

  private async once(words: readonly string[]): Promise<string> {
    const wire = await this.server.open()
    wire.write(encodeCommand(words))
    const reply = await this.read(wire, MAIN_WAIT_MS, false)
    wire.close()
    return reply
  }

  private async info(field: string): Promise<string> {
    const wire = await this.server.open()
    wire.write(encodeCommand(['INFO', 'everything']))
    let reply = wire.reader.next()
    for (let left = MAIN_WAIT_MS; reply === undefined && left > 0; left -= 10) {
      await this.server.pass(10)
      reply = wire.reader.next()
    }
    wire.close()
    const lines = latin1Text(reply ?? new Uint8Array(0)).split('\r\n')
    return lines.find(line => line.startsWith(`${field}:`)) ?? '(no such field)'
  }

  private async appended(): Promise<string> {
    await this.server.pass(150)
    const commands: string[] = []
    for (const file of await this.server.files()) {
      const reader = new ReplyReader()
      reader.push(latin1Bytes(latin1Text(file).replace(/^#.*\r\n/gm, '')))
      for (let one = reader.next(); one !== undefined; one = reader.next()) commands.push(commandOf(one))
    }
    return commands.join(' | ')
  }
}

/** A command of an append-only file as its words. */
function commandOf(reply: Uint8Array): string {
  const words: string[] = []
  const text = latin1Text(reply)
  let at = text.indexOf('\r\n') + 2
  while (at < text.length) {
    const end = text.indexOf('\r\n', at)
    const length = Number(text.slice(at + 1, end))
    words.push(text.slice(end + 2, end + 2 + length))
    at = end + 4 + length
  }
  return escaped(words.join(' '))
}

/** How a connection ended; how much of a long array comes before is chance. */
function closed({ reader }: CaseWire): string {
  const { rest } = reader
  return rest[0] !== ARRAY || rest.length > REST_SHOWN_MAX ? '(closed)' : `(closed behind ${escaped(latin1Text(rest))})`
}

function repeated(word: string): string {
  return word.replace(/REPEAT\((\d+),(.*?)\)/gs, (_, times: string, text: string) => text.repeat(Number(times)))
}

/** A reply as text on one line, types kept: *[$a, :1]. */
function shown(reply: Uint8Array, isSorted: boolean): string {
  const text = latin1Text(reply)
  let at = 0
  const one = (sorted: boolean): string => {
    const kind = text[at]
    const end = text.indexOf('\r\n', at)
    const rest = text.slice(at + 1, end)
    at = end + 2
    if ('$=!'.includes(kind) && rest !== '-1') {
      const from = at
      at += Number(rest) + 2
      const said = kind + escaped(text.slice(from, at - 2))
      return said.length > SHOWN_MAX ? `${said.slice(0, SHOWN_MAX / 2)}…(${rest})` : said
    }
    if (!'*~>%|'.includes(kind) || rest === '-1') return kind + escaped(rest)
    const parts: string[] = []
    const count = '%|'.includes(kind) ? Number(rest) * 2 : Number(rest)
    for (let i = 0; i < count; i++) parts.push(one(false))
    if (sorted) parts.sort()
    return `${kind}[${parts.join(', ')}]`
  }
  return one(isSorted)
}

function escaped(text: string): string {
  return text.replace(/[\\\0-\x1f\x7f-\xff]/g, char => {
    if (char === '\\') return '\\\\'
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}

/** Ours, on a virtual machine. */
export async function startOurs(directives: Record<string, string>): Promise<CaseServer> {
  const machine = virtualSystem({ seed: 1 })
  const server = await MachineServer.start(machine, { ...directives, port: '0' })
  const { disk } = machine
  const folder = 'appendonlydir'
  return {
    open: async () => {
      const socket = server.server.memory.connect()
      const wire = wireOf(
        bytes => socket.write(bytes),
        () => socket.close(),
      )
      socket.onData = bytes => wire.reader.push(bytes.slice())
      socket.onClose = () => (wire.closed = true)
      return wire
    },
    pass: async ms => {
      for (let left = ms; left > 0; left -= 10) machine.advance(Math.min(left, 10))
      await Promise.resolve()
    },
    files: async () => {
      const names = disk.readdir(folder).filter(name => name.endsWith('.incr.aof'))
      return names.sort().map(name => disk.readFile(`${folder}/${name}`))
    },
    stop: () => server.stop(['nosave']),
  }
}

/** A redis-server in a process. */
export async function startRedis(path: string, directives: Record<string, string>): Promise<CaseServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-cases-'))
  const server = await ServerProcess.start(path, folder, { save: '', 'enable-debug-command': 'yes', ...directives })
  // CLIENT LIST shows the connections of the case alone.
  server.connection.close()
  const sockets: Socket[] = []
  return {
    open: async () => {
      const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true })
      sockets.push(socket)
      const wire = wireOf(
        bytes => socket.write(bytes),
        () => socket.destroy(),
      )
      socket.on('data', bytes => wire.reader.push(bytes))
      socket.on('error', () => {})
      socket.on('close', () => (wire.closed = true))
      await new Promise(resolve => socket.once('connect', resolve))
      return wire
    },
    pass: sleep,
    files: async () => {
      const names = readdirSync(join(folder, 'appendonlydir')).filter(name => name.endsWith('.incr.aof'))
      return names.sort().map(name => readFileSync(join(folder, 'appendonlydir', name)))
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await server.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function wireOf(write: (bytes: Uint8Array) => void, close: () => void): CaseWire {
  return { write, close, reader: new ReplyReader(), closed: false }
}
