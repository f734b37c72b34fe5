// LuaDebugger: the protocol of redis-cli --ldb for one EVAL: where the script stops, and what it is asked meanwhile.
//
//   RUNNING → STOPPED [line: step, break point, redis.breakpoint(), time-out] → RUNNING [step, continue, abort, detach]
//
// Always: while RUNNING the script is driven by its engine; while STOPPED it is suspended, and commands are executed
// one by one. What is told goes to `logs` and leaves with the next reply, one line each.
// Source of the commands and their texts: Redis 7.2's eval.c.

import { CR, MINUS } from '../../lib/ascii.ts'
import { latin1Text } from '../../lib/bytes.ts'
import { parseInt64 } from '../../lib/number.ts'
import { Slice } from '../../lib/slice.ts'
import { cText } from '../../lib/text.ts'
import { errorTable } from '../convert-reply.ts'
import type { LuaState } from '../lua/state.ts'
import { type LineHook, LuaError, type LuaFunction, type LuaValue } from '../lua/value.ts'
import { describeReply, describeValue } from './describe.ts'
import { HELP } from './help.ts'

const BREAKPOINTS_MAX = 64
const MAXLEN = 256
const MAXLEN_MIN = 60
const LIST_CONTEXT = 5
const WORDS_SHOWN_MAX = 10

/** What the debugger needs of the interpreter. */
interface DebuggedEngine {
  readonly S: LuaState
  /** A global variable. */
  global(name: string): LuaValue
  /** Runs code in a frame of its own: its first value, or an error message. */
  evaluate(code: string): { readonly value: LuaValue } | { readonly error: string }
  /** redis.call; an error is only logged. */
  callRedis(words: string[]): void
}

interface Frame {
  depth: number
  line: number
  f: LuaFunction
  locals: () => [string, LuaValue][]
}

export class LuaDebugger implements LineHook {
  logs: string[] = []
  isStopped = false
  private readonly engine: DebuggedEngine
  private readonly lines: readonly string[]
  private readonly breakpoints: number[] = []
  /** Stop at the next line; commands and replies are logged meanwhile. */
  private isStepping = true
  private isBreakpointCalled = false
  private isLate = false
  private currentLine = 0
  private maxLength = MAXLEN
  private hintGiven = false
  /** The last line of each frame, by depth. */
  private readonly frames: (Frame | undefined)[] = []
  /** To be raised in the script when it goes on. */
  private failure: string | undefined

  constructor(engine: DebuggedEngine, lines: readonly string[]) {
    this.engine = engine
    this.lines = lines
  }

  // ---- the script ----

  line(line: number, depth: number, f: LuaFunction, locals: () => [string, LuaValue][]): boolean {
    this.frames[depth] = { depth, line, f, locals }
    this.frames.length = depth + 1
    this.currentLine = line
    const isBreak = this.isBreakpointCalled || this.breakpoints.includes(line)
    if (!this.isStepping && !isBreak && !this.isLate) return false
    let reason = 'step over'
    if (isBreak) reason = this.isBreakpointCalled ? 'redis.breakpoint() called' : 'break point'
    else if (this.isLate) reason = 'timeout reached, infinite loop?'
    this.isStepping = this.isBreakpointCalled = this.isLate = false
    this.logs.push(`* Stopped at ${line}, stop reason = ${reason}`)
    this.logLine(line)
    this.isStopped = true
    return true
  }

  resumed(): void {
    const { failure } = this
    this.failure = undefined
    if (failure !== undefined) throw new LuaError(errorTable(this.engine.S, `ERR ${failure}`))
  }

  /** The script has run for long without a stop: it stops at its next line. */
  timeOut(): void {
    this.isLate = true
  }

  /** Nobody is there any more: the script runs to its end. */
  detach(): void {
    this.breakpoints.length = 0
    this.isStepping = this.isStopped = false
  }

  /** Goes on with an error in the script. */
  fail(message: string): void {
    this.failure = message
    this.isStopped = false
  }

  /** redis.breakpoint() */
  breakAtNextLine(): void {
    this.isBreakpointCalled = true
  }

  /** redis.debug() */
  logValues(values: LuaValue[]): void {
    const { S } = this.engine
    this.logs.push(`<debug> line ${this.currentLine}: ${values.map(value => describeValue(S, value)).join(', ')}`)
  }

  /** A command of redis.call, before it runs. */
  logCommand(words: readonly string[]): void {
    if (!this.isStepping) return
    const shown = words.slice(0, WORDS_SHOWN_MAX).map(word => ` ${word}`)
    const more = words.length > WORDS_SHOWN_MAX ? ` ... (${words.length - WORDS_SHOWN_MAX - 1} more)` : ''
    this.logs.push(`<redis>${shown.join('')}${more}`)
  }

  /** Its reply; `bytes` begins with it. */
  logReply(bytes: Uint8Array): void {
    if (!this.isStepping) return
    if (bytes[0] === MINUS) this.logs.push(`<error> ${latin1Text(bytes, 0, bytes.indexOf(CR))}`)
    this.logTrimmed(`<reply> ${describeReply(bytes)}`)
  }

  logError(text: string): void {
    if (this.isStepping) this.logs.push(`<error> ${text.startsWith('-ERR ') ? text.slice('-ERR '.length) : text}`)
  }

  // ---- commands ----

  /** Executes one command; whether to stay stopped is in `isStopped`. */
  execute(words: readonly string[]): void {
    const command = cText(words[0]).toLowerCase()
    switch (command) {
      case 's':
      case 'step':
      case 'n':
      case 'next':
        this.isStepping = true
        this.isStopped = false
        return
      case 'c':
      case 'continue':
        this.isStopped = false
        return
      case 'a':
      case 'abort':
        return this.fail('script aborted for user request')
      default:
        this.answer(command, words)
    }
  }

  private answer(command: string, words: readonly string[]): void {
    switch (command) {
      case 'h':
      case 'help':
        this.logs.push(...HELP)
        return
      case 't':
      case 'trace':
        return this.trace()
      case 'm':
      case 'maxlen':
        return this.setMaxLength(words)
      case 'b':
      case 'break':
        return this.setBreakpoints(words.slice(1))
      case 'e':
      case 'eval':
        return this.evaluate(words.slice(1).join(' '))
      case 'p':
      case 'print':
        return words.length === 2 ? this.printOne(cText(words[1])) : this.printAll()
      case 'l':
      case 'list': {
        const around = words.length > 1 ? leadingInteger(words[1]) : 0
        return this.list(
          around > 0 ? around : this.currentLine,
          words.length > 2 ? leadingInteger(words[2]) : LIST_CONTEXT,
        )
      }
      case 'w':
      case 'whole':
        return this.list(1, this.lines.length)
      case 'r':
      case 'redis':
        if (words.length > 1) return this.callRedis(words.slice(1))
    }
    this.logs.push('<error> Unknown Redis Lua debugger command or wrong number of arguments.')
  }

  private callRedis(words: string[]): void {
    this.isStepping = true
    this.engine.callRedis(words)
    this.isStepping = false
  }

  private evaluate(code: string): void {
    const outcome = this.engine.evaluate(code)
    if ('error' in outcome) this.logs.push(`<error> ${outcome.error}`)
    else this.logTrimmed(`<retval> ${describeValue(this.engine.S, outcome.value)}`)
  }

  private printOne(name: string): void {
    for (const { locals } of this.stack()) {
      const found = locals().find(([local]) => local === name)
      if (found === undefined) continue
      return this.logTrimmed(`<value> ${describeValue(this.engine.S, found[1])}`)
    }
    if (name !== 'KEYS' && name !== 'ARGV') this.logs.push('No such variable.')
    else this.logTrimmed(`<value> ${describeValue(this.engine.S, this.engine.global(name))}`)
  }

  private printAll(): void {
    const locals = this.stack()[0]?.locals() ?? []
    for (const [name, value] of locals) this.logTrimmed(`<value> ${name} = ${describeValue(this.engine.S, value)}`)
    if (locals.length === 0) this.logs.push('No local variables in the current context.')
  }

  private trace(): void {
    const { S } = this.engine
    const frames = this.stack()
    for (const [i, frame] of frames.entries()) {
      const level = (S.depth - frame.depth) / 2 + 1
      const called = S.siteAt(level + 1)
      const name = called === undefined || called.kind === 'operation' || called.what === '' ? undefined : called.name
      this.logs.push(`${i === 0 ? 'In' : 'From'} ${name ?? 'top level'}:`)
      this.logLine(frame.line)
    }
    if (frames.length === 0) this.logs.push("<error> Can't retrieve Lua stack.")
  }

  /** The script's frames that are running, innermost first. */
  private stack(): Frame[] {
    const { S } = this.engine
    const running: Frame[] = []
    for (let depth = S.depth; depth > 0; depth -= 2) {
      const frame = this.frames[depth]
      if (frame !== undefined && S.frames[depth + 1] === frame.f) running.push(frame)
    }
    return running
  }

  private setMaxLength(words: readonly string[]): void {
    if (words.length === 2) {
      this.hintGiven = true
      const bytes = leadingInteger(words[1])
      this.maxLength = bytes !== 0 && bytes <= MAXLEN_MIN ? MAXLEN_MIN : bytes
    }
    const { maxLength } = this
    this.logs.push(
      maxLength === 0 ? '<value> replies are unlimited.' : `<value> replies are truncated at ${maxLength} bytes.`,
    )
  }

  private setBreakpoints(words: readonly string[]): void {
    const { breakpoints, logs } = this
    if (words.length === 0) {
      if (breakpoints.length === 0) logs.push("No breakpoints set. Use 'b <line>' to add one.")
      else logs.push(`${breakpoints.length} breakpoints set:`)
      for (const line of breakpoints) this.logLine(line)
    }
    for (const word of words) {
      const line = parseInt64(Slice.of(word))
      if (Number.isNaN(line)) logs.push(`Invalid argument:'${cText(word)}'`)
      else if (line < 0) this.removeBreakpoint(-line)
      else if (line > 0) this.addBreakpoint(line)
      else {
        breakpoints.length = 0
        logs.push('All breakpoints removed.')
      }
    }
  }

  private addBreakpoint(line: number): void {
    const { breakpoints, logs } = this
    if (breakpoints.length === BREAKPOINTS_MAX) logs.push('Too many breakpoints set.')
    // Redis takes a line that has a break point already for a wrong one.
    else if (line > this.lines.length || breakpoints.includes(line)) logs.push('Wrong line number.')
    else {
      breakpoints.push(line)
      this.list(line, 1)
    }
  }

  private removeBreakpoint(line: number): void {
    const at = this.breakpoints.indexOf(line)
    if (at >= 0) this.breakpoints.splice(at, 1)
    this.logs.push(at >= 0 ? 'Breakpoint removed.' : 'No breakpoint in the specified line.')
  }

  // ---- texts ----

  private list(around: number, context: number): void {
    for (let line = 1; line <= this.lines.length; line++) if (Math.abs(around - line) <= context) this.logLine(line)
  }

  private logLine(line: number): void {
    const isBreakpoint = this.breakpoints.includes(line)
    const sign = line === this.currentLine ? (isBreakpoint ? '->#' : '-> ') : isBreakpoint ? '  #' : '   '
    const text = this.lines[line - 1] ?? '<out of range source code line>'
    this.logs.push(`${sign}${String(line).padEnd(3)} ${text}`)
  }

  private logTrimmed(text: string): void {
    const { maxLength } = this
    const isLong = maxLength > 0 && text.length > maxLength
    this.logs.push(isLong ? `${text.slice(0, maxLength)} ...` : text)
    if (!isLong || this.hintGiven) return
    this.hintGiven = true
    this.logs.push("<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.")
  }
}

/** C's atoi. */
function leadingInteger(text: string): number {
  return Number.parseInt(text, 10) || 0
}
