// Threads: a worker of this library, and its end of the channel to the program.
//
// Always: a thread does not keep the process alive, except while hold() is in effect; bytes that are alone in their
// buffer are transferred, not copied.

import { parentPort, Worker } from 'node:worker_threads'
import { TIMER_MS_MAX } from './system.ts'

export interface Channel {
  onMessage: (message: unknown) => void
  /** `bytes`: part of the message, and the sender's no more. */
  post(message: unknown, bytes?: Uint8Array): void
}

export interface Thread extends Channel {
  /** It has ended, or an exception has ended it. */
  onEnd: (error: Error | undefined) => void
  /** The process lives while something is awaited. */
  hold(): void
  release(): void
  end(): Promise<void>
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
  const thread: Thread = {
    onMessage: () => {},
    onEnd: () => {},
    post: (message, bytes) => worker.postMessage(message, transferred(bytes)),
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

/** In a thread: the channel to who started it. */
export function startedBy(): Channel {
  const port = parentPort
  if (port === null) throw new Error('this is not a thread')
  const channel: Channel = {
    onMessage: () => {},
    post: (message, bytes) => port.postMessage(message, transferred(bytes)),
  }
  port.on('message', message => channel.onMessage(message))
  return channel
}

function transferred(bytes: Uint8Array | undefined): ArrayBuffer[] {
  return bytes !== undefined && bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer as ArrayBuffer] : []
}
