// A small load generator: sends one case of cases.ts over many pipelined connections and prints commands per second.
//
//   bun test/bench/driver.ts PORT CASE setup                        sends the case's setup, on empty databases
//   bun test/bench/driver.ts PORT CASE COMMANDS CLIENTS PIPELINE    measures

import { connect, type Socket } from 'node:net'
import { encodeCommand, replyEnd } from '../harness/resp.ts'
import { type BenchCase, cases } from './cases.ts'

const [port, name, commands, clients, pipeline] = process.argv.slice(2)
const benchCase = cases.find(one => one.name === name)
if (!benchCase) throw new Error(`no case ${name}`)
if (commands === 'setup') await prepare(benchCase, Number(port))
else console.log(await measure(benchCase, Number(port), Number(commands), Number(clients), Number(pipeline)))
process.exit(0)

async function prepare({ setup }: BenchCase, port: number): Promise<void> {
  const link = await Link.open(port)
  await link.exchange(encodeCommand(['FLUSHALL']), 1)
  for (const words of setup?.() ?? []) await link.exchange(encodeCommand(words), 1)
}

async function measure(
  { command, listeners = 0 }: BenchCase,
  port: number,
  count: number,
  clients: number,
  pipeline: number,
): Promise<number> {
  for (let i = 0; i < listeners; i++) await listen(port)
  const links: Link[] = []
  while (links.length < clients) links.push(await Link.open(port))
  // Batches are encoded beforehand, so that the client uses little processor time during the measurement.
  const batches = Array.from({ length: 64 }, (_, b) =>
    Buffer.concat(Array.from({ length: pipeline }, (_, i) => encodeCommand(command(b * pipeline + i)))),
  )
  let batchesLeft = Math.ceil(count / pipeline)
  const startMs = performance.now()
  await Promise.all(
    links.map(async (link, at) => {
      while (batchesLeft-- > 0) await link.exchange(batches[at++ % batches.length], pipeline)
    }),
  )
  return Math.round((count / (performance.now() - startMs)) * 1000)
}

/** A subscriber of the channel 'news' that discards what it receives. */
function listen(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(encodeCommand(['SUBSCRIBE', 'news'])))
    socket.on('data', () => resolve())
    socket.once('error', reject)
  })
}

class Link {
  private readonly socket: Socket
  private rest: Uint8Array = new Uint8Array(0)
  private wanted = 0
  private answered: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', bytes => this.received(bytes))
  }

  static open(port: number): Promise<Link> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(new Link(socket)))
      socket.once('error', reject)
    })
  }

  exchange(bytes: Uint8Array, replyCount: number): Promise<void> {
    this.wanted = replyCount
    this.socket.write(bytes)
    return new Promise(resolve => (this.answered = resolve))
  }

  private received(bytes: Uint8Array): void {
    const u8 = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes])
    let at = 0
    for (let end = replyEnd(u8, 0, u8.length); end >= 0; end = replyEnd(u8, at, u8.length)) {
      if (this.wanted > 1 || u8[at] !== 0x2d) this.wanted--
      else throw new Error(Buffer.from(u8.subarray(at, end)).toString())
      at = end
    }
    this.rest = u8.subarray(at)
    if (this.wanted === 0) this.answered()
  }
}
