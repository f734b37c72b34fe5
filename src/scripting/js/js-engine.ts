// JsEngine: the ScriptEngine of functions in JavaScript (#!js name=lib), which run in a thread of their own.
//
//   FUNCTION LOAD ─▶ L ─▶ context of the library ─▶ registered functions
//   FCALL         ─▶ C ─▶ callback ─▶ [c command ─▶ reply]... ─▶ D result, X error
//
// Always: the server waits while the thread runs, for as long as tick() says, and the thread while the server does: one
// of them runs at a time. A thread that is killed takes the contexts with it: libraries are loaded again when called.

import { Slice } from '../../lib/slice.ts'
import { cText } from '../../lib/text.ts'
import type { Reply } from '../../protocol/reply.ts'
import type { LogLevel } from '../../system/system.ts'
import { stringOf } from '../convert-bytes.ts'
import {
  ENGINE_BYTES,
  type EngineHost,
  type FunctionDraft,
  type Program,
  SCRIPT_FLAGS,
  type Script,
  type ScriptEngine,
} from '../script-engine.ts'
import { ThreadChannel } from './channel.ts'
import { contextSource } from './context-main.ts'
import { writeResult } from './result-writer.ts'
import { threadSource } from './thread-main.ts'

/** Starts a thread; `ended` is called when it ends by itself. Returns what ends it. */
type StartThread = (source: string, shared: SharedArrayBuffer, ended: () => void) => () => void

const LEVELS: readonly LogLevel[] = ['debug', 'verbose', 'notice', 'warning']
/** Between two looks at the clock. */
const WAIT_MS = 2
/** A thread that has not begun by then never will. */
const START_US_MAX = 30_000_000
/** A thread with its runtime, when it runs. */
const THREAD_BYTES = 8 * 1024 * 1024
/** To load a library again, which was loaded in less. */
const AGAIN_MS_MAX = 10_000
const BYTES_PER_CODE_BYTE = 16
const ONLY_FUNCTIONS = 'scripts are written in Lua: only functions may be in JavaScript'
const ENDED = 'ERR the thread of JavaScript functions has ended'
// Code comes from nowhere else: there is neither eval nor Function in a context.
const IMPORT = /\bimport\b/

interface JsLibrary {
  readonly id: number
  readonly code: string
}

interface JsProgram {
  readonly library: JsLibrary
  readonly index: number
}

interface Running {
  readonly channel: ThreadChannel
  readonly loaded: Set<JsLibrary>
  readonly end: () => void
  hasEnded: boolean
}

export class JsEngine implements ScriptEngine {
  readonly name = 'JS'
  private readonly host: EngineHost
  private readonly startThread: StartThread
  private thread: Running | undefined
  private nextId = 1
  private codeBytes = 0
  private script: Script | undefined
  private args: Slice[] = []
  /** D or X and what follows, of the function that has ended. */
  private result = ''

  constructor(host: EngineHost, startThread: StartThread) {
    this.host = host
    this.startThread = startThread
  }

  get memoryBytes(): number {
    return ENGINE_BYTES + this.codeBytes + (this.thread === undefined ? 0 : THREAD_BYTES)
  }

  compile(): string {
    return ONLY_FUNCTIONS
  }

  compileDebugged(): string {
    return ONLY_FUNCTIONS
  }

  dropped(): void {}

  // ---- libraries ----

  runLibrary(
    code: string,
    limitMs: number,
    register: (draft: FunctionDraft) => string | undefined,
  ): string | undefined {
    if (IMPORT.test(code)) return 'Error compiling function: functions in JavaScript cannot import'
    const library: JsLibrary = { id: this.nextId++, code }
    const answer = this.load(library, limitMs)
    if (answer[0] === 'S') return `Error compiling function: ${answer.slice(1)}`
    if (answer[0] !== 'D') return `Error registering functions: ${textOfFailure(answer)}`
    const words = unpacked(answer, 1)
    for (let i = 0; i < words.length; i += 3) {
      const flags = flagsOf(words[i + 2])
      if (flags === undefined) return 'Error registering functions: ERR unknown flag given'
      const description = words[i + 1] === '' ? undefined : words[i + 1]
      const program: JsProgram = { library, index: i / 3 }
      const wrong = register({ name: words[i], description, flags, program })
      if (wrong !== undefined) return `Error registering functions: ERR ${wrong}`
    }
    return undefined
  }

  /** After `limitMs` (0: never) the thread is ended. Returns its answer, or a failure. */
  private load(library: JsLibrary, limitMs: number): string {
    const thread = this.running()
    thread.channel.send(`L${library.id} ${library.code}`)
    const sentUs = this.host.monotonicUs()
    let startUs = sentUs
    for (;;) {
      const message = thread.channel.receive(WAIT_MS)
      if (message !== undefined && message[0] !== 'l') {
        if (message[0] === 'D') thread.loaded.add(library)
        return message
      }
      if (message !== undefined) this.logged(message, thread)
      else if (thread.hasEnded) return this.lost(ENDED)
      if (!thread.channel.isReady) {
        startUs = this.host.monotonicUs()
        if (startUs - sentUs > START_US_MAX) return this.lost(ENDED)
      }
      // A library that logs without end is not loaded either.
      if (limitMs > 0 && this.host.monotonicUs() - startUs > limitMs * 1000)
        return this.lost('ERR FUNCTION LOAD timeout')
    }
  }

  keep(programs: Iterable<Program>): void {
    const kept = new Set<JsLibrary>()
    for (const program of programs) kept.add((program as JsProgram).library)
    this.codeBytes = 0
    for (const { code } of kept) this.codeBytes += code.length * BYTES_PER_CODE_BYTE
    const { thread } = this
    if (thread === undefined) return
    for (const library of thread.loaded)
      if (!kept.has(library)) {
        thread.loaded.delete(library)
        thread.channel.send(`F${library.id} `)
        while (thread.channel.receive(WAIT_MS) === undefined && !thread.hasEnded);
      }
    if (kept.size === 0) this.end()
  }

  private running(): Running {
    this.thread ??= this.started()
    return this.thread
  }

  private started(): Running {
    const channel = new ThreadChannel()
    const ended = () => {
      thread.hasEnded = true
    }
    const thread: Running = {
      channel,
      loaded: new Set(),
      end: this.startThread(threadSource(contextSource()), channel.shared, ended),
      hasEnded: false,
    }
    return thread
  }

  /** Ends the thread; the failure that this is. */
  private lost(text: string): string {
    this.end()
    return `X00 ${text}`
  }

  end(): void {
    this.thread?.end()
    this.thread = undefined
  }

  // ---- functions ----

  start(program: Program, script: Script, args: Slice[], firstKey: number, firstArg: number, argc: number): boolean {
    const { library, index } = program as JsProgram
    this.script = script
    script.resp = 3
    if (this.thread?.hasEnded === true) this.end()
    if (this.thread?.loaded.has(library) !== true) {
      const answer = this.load(library, AGAIN_MS_MAX)
      if (answer[0] !== 'D') {
        this.result = answer[0] === 'S' ? `X00 ERR ${answer.slice(1)}` : answer
        return true
      }
    }
    let text = `C${library.id} ${index} ${this.host.wallMs()} ${firstArg - firstKey} `
    for (let i = firstKey; i < argc; i++) {
      const word = args[i]
      text += `${word.len}:${word.latin1()}`
    }
    if (!this.running().channel.send(text)) this.result = this.lost(ENDED)
    return this.result !== '' || this.resume()
  }

  resume(): boolean {
    const { thread, script } = this
    if (thread === undefined) return true
    for (;;) {
      const message = thread.channel.receive(WAIT_MS)
      if (message === undefined) {
        if (thread.hasEnded) {
          this.result = this.lost(ENDED)
          return true
        }
        if (script!.tick()) return false
      } else if (message[0] === 'c') {
        thread.channel.send(this.replyTo(message))
        if (script!.tick()) return false
      } else if (message[0] === 'l') {
        this.logged(message, thread)
        if (script!.tick()) return false
      } else {
        this.result = message
        return true
      }
    }
  }

  private replyTo(message: string): string {
    const words = unpacked(message, 1)
    const { args } = this
    for (const [i, word] of words.entries()) args[i] = Slice.of(word)
    const script = this.script!
    if (words.length === 0) return 'EERR Please specify at least one argument'
    const refusal = script.command(args, words.length)
    if (refusal !== undefined) return `E${refusal.startsWith('-') ? refusal.slice(1) : `ERR ${refusal}`}`
    const { u8, pos } = script.reply
    return `R${stringOf(u8, 0, pos)}`
  }

  private logged(message: string, { channel }: Running): void {
    const [level, text] = unpacked(message, 1)
    this.host.log(LEVELS.find(one => one === level) ?? 'notice', text)
    channel.send('k')
  }

  kill(message: string): void {
    this.result = this.lost(`ERR ${message}`)
  }

  abandon(): void {
    // The thread waits for a reply that will not come.
    if (this.result === '') this.end()
    this.script = undefined
    this.result = ''
    this.args.length = 0
  }

  writeResult(reply: Reply, name: string): number {
    const { result } = this
    this.abandon()
    if (result[0] === 'D') {
      writeResult(reply, result.slice(1))
      return 0
    }
    const blank = result.indexOf(' ')
    const line = result.slice(2, blank)
    const place = line === '0' ? '' : `, on @user_function:${line}`
    reply.raisedError(`${cText(result.slice(blank + 1))} script: ${name}${place}.`)
    const counted = result[1] === '1' ? 1 : 0
    reply.errors -= counted
    return counted
  }
}

function textOfFailure(failure: string): string {
  return failure.slice(failure.indexOf(' ') + 1)
}

/** Texts as '<length>:<text>', from `at` on. */
function unpacked(text: string, at: number): string[] {
  const words: string[] = []
  while (at < text.length) {
    const colon = text.indexOf(':', at)
    const end = colon + 1 + Number(text.slice(at, colon))
    words.push(text.slice(colon + 1, end))
    at = end
  }
  return words
}

/** undefined: there is no such flag. */
function flagsOf(names: string): number | undefined {
  let flags = 0
  for (const name of names === '' ? [] : names.split(',')) {
    const bit = SCRIPT_FLAGS.get(name.toLowerCase())
    if (bit === undefined) return undefined
    flags |= bit
  }
  return flags
}
