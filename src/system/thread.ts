// Threads: a worker of this library, and its end of the channel to the program.
//
// Always: a thread does not keep the process alive, except while hold() is in effect; bytes that are alone in their
// buffer are transferred, not copied.

import { MessageChannel, type MessagePort, parentPort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { TIMER_MS_MAX } from './system.ts'

interface Channel {
  onMessage: (message: unknown) => void
  /** `bytes`: part of the message, and the sender's no more. */
  post(message: unknown, bytes?: Uint8Array): void
}

/** A thread's end. */
export interface ThreadChannel extends Channel {
  /** The answer to the message that the other end waits for. */
  answer(value: unknown): void
}

export interface Thread extends Channel {
  /** Sends a message and stops this thread until it is answered. Behind what was posted before. */
  ask(message: unknown): unknown
  /** It has ended, or an exception has ended it. */
  onEnd: (error: Error | undefined) => void
  /** The process lives while something is awaited. */
  hold(): void
  release(): void
  end(): Promise<void>
}

/** A thread that has not answered for so long has failed. */
const ANSWER_MS_MAX = 60_000

/** Where a thread answers who waits: the value is in the port when the number has changed. */
interface Answers {
  readonly answers: MessagePort
  readonly signal: Int32Array
}

const HERE = import.meta.url
// The runtime's own: a program may have fake timers by now, or later.
const { setInterval: realInterval, clearInterval: realClear } = globalThis

/** src/worker.ts beside this file: as source, built, or of the package. */
function entry(): URL {
  if (HERE.endsWith('.cjs')) return new URL('./worker.cjs', HERE)
  return new URL(HERE.endsWith('.ts') ? '../worker.ts' : '../worker.js', HERE)
}

export function startThread(): Thread {
  const worker = new Worker(entry())
  let held = 0
  // Node does not take unref() back: from then on a timer keeps the process alive.
  let timer: ReturnType<typeof realInterval> | undefined
  let answers: Answers | undefined
  const thread: Thread = {
    onMessage: () => {},
    onEnd: () => {},
    post: (message, bytes) => worker.postMessage(message, transferred(bytes)),
    ask(message) {
      answers ??= openAnswers(worker)
      const { signal } = answers
      const before = Atomics.load(signal, 0)
      worker.postMessage(message)
      if (Atomics.wait(signal, 0, before, ANSWER_MS_MAX) === 'timed-out')
        throw new Error('the thread of the server does not answer')
      return receiveMessageOnPort(answers.answers)?.message
    },
    hold() {
      if (held++ === 0) timer = realInterval(() => {}, TIMER_MS_MAX)
    },
    release() {
      if (--held > 0) return
      realClear(timer)
      worker.unref()
    },
    async end() {
      await worker.terminate()
    },
  }
  worker.on('message', message => thread.onMessage(message))
  worker.on('error', error => thread.onEnd(error as Error))
  worker.on('exit', () => thread.onEnd(undefined))
  return thread
}

function openAnswers(worker: Worker): Answers {
  const { port1, port2 } = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  worker.postMessage({ answers: port2, signal } satisfies Answers, [port2])
  return { answers: port1, signal }
}

/** In a thread: the channel to who started it. */
export function startedBy(): ThreadChannel {
  const port = parentPort
  if (port === null) throw new Error('this is not a thread')
  let open: Answers | undefined
  const channel: ThreadChannel = {
    onMessage: () => {},
    post: (message, bytes) => port.postMessage(message, transferred(bytes)),
    answer(value) {
      if (open === undefined) return
      open.answers.postMessage(value)
      Atomics.add(open.signal, 0, 1)
      Atomics.notify(open.signal, 0)
    },
  }
  port.on('message', message => {
    if (typeof message === 'object' && message !== null && 'answers' in message) open = message as Answers
    else channel.onMessage(message)
  })
  return channel
}

function transferred(bytes: Uint8Array | undefined): ArrayBuffer[] {
  return bytes !== undefined && bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer as ArrayBuffer] : []
}

/** See ProcessView.startThread. */
export function startScript(source: string, shared: SharedArrayBuffer, ended: () => void): () => void {
  const worker = new Worker(source, { eval: true, workerData: shared, env: {}, execArgv: [] })
  worker.unref()
  worker.on('error', ended)
  return () => {
    worker.off('error', ended)
    // What ends it may come in the midst of its work.
    worker.on('error', () => {})
    void worker.terminate()
  }
}
