// The thread of JavaScript functions. It is started with the text of this file's functions, so that they name nothing
// but one another, and what every thread has.
//
//   server ── L load, C call, F forget ─▶ thread ─▶ context of the library        messages: see js-engine.ts
//          ◀─ c command, l log, D done, X failed ──
//
// Always: what crosses between these functions and a context is texts and numbers, and functions of the context that
// are called from here: an object of the thread in a script's hands would lead it out of its context.

interface Context {
  /** What the library has registered, as a message. */
  registered(): string
  call(index: number, nowMs: number, keyCount: number, words: string): string
  failed(error: unknown): string
}

interface Script {
  runInContext(context: object): unknown
}

/** What is used of node:vm. */
interface Vm {
  createContext(globals: object, options: object): object
  runInContext(code: string, context: object): (...given: ((text: string) => string)[]) => Context
  Script: new (code: string, options: { filename: string }) => Script
}

interface Channel {
  send(text: string): void
  receive(): string
}

/** A CommonJS script. `contextSource`: the text of a function that makes a context's inside. */
export function threadSource(contextSource: string): string {
  const parts = [channelOf, bounded, load, answerTo].join('\n')
  return `'use strict'\n${parts}\n(${main})(require, require('node:worker_threads').workerData, ${JSON.stringify(contextSource)})`
}

function main(require: (name: string) => Vm, shared: SharedArrayBuffer, contextSource: string): void {
  const vm = require('node:vm')
  const channel = channelOf(shared)
  const contexts = new Map<number, Context>()
  for (;;)
    channel.send(
      bounded(
        answerTo(channel.receive(), contexts, (id, code) => load(vm, channel, contextSource, code, id, contexts)),
      ),
    )
}

/** A message of a context. Longer ones would fill the memory of the server too. */
function bounded(message: string): string {
  const CHARS_MAX = 128 * 1024 * 1024
  return message.length <= CHARS_MAX ? message : 'X00 ERR the result is too large'
}

/** The other end of channel.ts. */
function channelOf(shared: SharedArrayBuffer): Channel {
  const HEAD_BYTES = 16
  const head = new Int32Array(shared, 0, HEAD_BYTES / 4)
  const bytes = Buffer.from(shared, HEAD_BYTES)
  Atomics.store(head, 3, 1)
  const handOver = () => {
    Atomics.store(head, 0, 0)
    Atomics.notify(head, 0)
  }
  // A late notification of the turn before may end a wait.
  const turn = () => {
    while (Atomics.load(head, 0) === 0) Atomics.wait(head, 0, 0)
  }
  return {
    receive() {
      let text = ''
      for (;;) {
        turn()
        text += bytes.toString('latin1', 0, head[1])
        if (head[2] === 0) return text
        handOver()
      }
    },
    send(text) {
      for (let from = 0; ; from += bytes.length) {
        const piece = text.slice(from, from + bytes.length)
        bytes.write(piece, 'latin1')
        head[1] = piece.length
        const isLast = from + bytes.length >= text.length
        head[2] = isLast ? 0 : 1
        handOver()
        if (isLast) return
        turn()
      }
    },
  }
}

function answerTo(
  message: string,
  contexts: Map<number, Context>,
  loaded: (id: number, code: string) => string,
): string {
  const blank = message.indexOf(' ')
  const id = Number(message.slice(1, blank))
  const rest = message.slice(blank + 1)
  if (message[0] === 'L') return loaded(id, rest)
  if (message[0] === 'F') {
    contexts.delete(id)
    return 'D'
  }
  const numbers: number[] = []
  let at = 0
  while (numbers.length < 3) {
    const end = rest.indexOf(' ', at)
    numbers.push(Number(rest.slice(at, end)))
    at = end + 1
  }
  const [index, nowMs, keyCount] = numbers
  return contexts.get(id)!.call(index, nowMs, keyCount, rest.slice(at))
}

function load(
  vm: Vm,
  channel: Channel,
  contextSource: string,
  code: string,
  id: number,
  contexts: Map<number, Context>,
): string {
  const exchange = (text: string) => {
    if (bounded(text) !== text) throw new RangeError('the command is too large')
    channel.send(text)
    return channel.receive()
  }
  const encode = (text: string) => Buffer.from(text).toString('latin1')
  const decode = (text: string) => Buffer.from(text, 'latin1').toString()
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } })
  const inside = vm.runInContext(contextSource, context)(exchange, encode, decode)
  let script: Script
  try {
    script = new vm.Script(`'use strict';${decode(code)}`, { filename: '@user_function' })
  } catch (error) {
    return `S${encode(String((error as Error).message))}`
  }
  try {
    script.runInContext(context)
  } catch (error) {
    return inside.failed(error)
  }
  contexts.set(id, inside)
  return inside.registered()
}
