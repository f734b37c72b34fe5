// LuaEngine: the ScriptEngine of Lua 5.1. EVAL and functions have one each, with different globals.
//
// Always: the globals are read-only after the constructor; only KEYS and ARGV are set, for EVAL's scripts.

import type { Slice } from '../lib/slice.ts'
import { cText } from '../lib/text.ts'
import { TextCache } from '../lib/text-cache.ts'
import type { Reply } from '../protocol/reply.ts'
import { argumentTable, errorTable, errorText, nameTable } from './convert-reply.ts'
import { ValueWriter } from './convert-value.ts'
import { LuaDebugger } from './debugger/debugger.ts'
import { registration } from './functions-register.ts'
import { compile, Execution, LuaState, LuaThread, load, type World } from './lua/index.ts'
import { LuaTable } from './lua/table.ts'
import { first, type LineHook, LuaError, type LuaFunction, LuaKilled, type LuaValue } from './lua/value.ts'
import { RedisLibrary } from './redis-library.ts'
import { Sandbox } from './sandbox.ts'
import {
  type DebuggedProgram,
  ENGINE_BYTES,
  type EngineHost,
  type FunctionDraft,
  type Program,
  type Script,
  type ScriptEngine,
} from './script-engine.ts'

/** Loop rounds and calls between two checks of the clock: a fraction of a millisecond. */
const BUDGET = 20_000
const NONE: LuaValue[] = []
/** What the debugger evaluates is ended after this. */
const EVALUATE_US = 500_000
const LOAD_TIMEOUT = 'FUNCTION LOAD timeout'

/** Measured on Bun: a chunk of a few words, and each byte of source. */
const CHUNK_BYTES = 16 * 1024
const BYTES_PER_CODE_BYTE = 16

export class LuaEngine implements ScriptEngine {
  readonly name = 'LUA'
  private readonly S = new LuaState()
  private readonly library: RedisLibrary
  private readonly sandbox: Sandbox
  private readonly writer = new ValueWriter()
  private readonly keyTexts = new TextCache()
  private readonly host: EngineHost
  private readonly takesGlobals: boolean
  private readonly world: World
  private compiledBytes = 0
  private script: Script | undefined
  private execution: Execution | undefined
  /** The registration callback while a library is loaded. */
  private register: ((draft: FunctionDraft) => string | undefined) | undefined

  constructor(host: EngineHost, use: 'scripts' | 'functions') {
    const { S } = this
    this.host = host
    this.library = new RedisLibrary(S)
    this.takesGlobals = use === 'scripts'
    this.sandbox = new Sandbox(S, this.library, host, use, (...args) => this.registerFunction(args))
    // In functions the globals depend on when they are called.
    this.world = { isSealed: true, hostNames: use === 'scripts' ? this.sandbox.hostNames() : new Set() }
  }

  /** Estimate: the globals and the compiled source of every chunk. */
  get memoryBytes(): number {
    return ENGINE_BYTES + this.compiledBytes
  }

  compile(code: string): Program | string {
    return this.function(code, '@user_script')
  }

  /** A function that is kept, and counts. */
  private function(code: string, chunkName: string): LuaFunction | string {
    const chunk = this.chunk(code, chunkName)
    if (typeof chunk !== 'string') this.compiledBytes += chunkBytes(code)
    return chunk
  }

  private chunk(code: string, chunkName: string, hook?: LineHook): LuaFunction | string {
    const world = hook === undefined ? this.world : undefined
    try {
      return load(this.S, compile(code, chunkName, 0, world, hook), this.sandbox.env)
    } catch (error) {
      if (error instanceof LuaError) return String(error.value)
      throw error
    }
  }

  // ---- debugging ----

  compileDebugged(code: string, lines: readonly string[]): DebuggedProgram | string {
    const { S, sandbox, library } = this
    const by = new LuaDebugger(
      {
        S,
        global: name => sandbox.globals.getName(name),
        evaluate: text => this.evaluate(text),
        callRedis(words) {
          try {
            library.call(words, false)
          } catch (error) {
            if (!(error instanceof LuaError)) throw error
          }
        },
      },
      lines,
    )
    const program = this.chunk(code, '@user_script', by)
    return typeof program === 'string' ? program : { program, debugger: by }
  }

  /** Runs code while the script is suspended: as an expression if it is one. */
  private evaluate(code: string): { value: LuaValue } | { error: string } {
    const asValue = this.chunk(`return ${code}`, '@ldb_eval')
    const chunk = typeof asValue === 'string' ? this.chunk(code, '@ldb_eval') : asValue
    if (typeof chunk === 'string') return { error: chunk }
    const { S, host } = this
    const suspended = { ...S }
    S.mainThread = new LuaThread(undefined, S.globals)
    try {
      const execution = new Execution(S, chunk, NONE)
      const endUs = host.monotonicUs() + EVALUATE_US
      while (execution.resume(BUDGET) === 'suspended')
        if (host.monotonicUs() > endUs) execution.kill('the code takes too long')
      if (execution.state === 'done') return { value: first(execution.result) }
      const error = execution.error!
      if (error instanceof LuaKilled) return { error: error.message }
      const text = error.value instanceof LuaTable ? error.value.getName('err') : error.value
      return { error: this.sandbox.textOf(text) }
    } finally {
      Object.assign(S, suspended)
    }
  }

  dropped(code: string): void {
    this.compiledBytes -= chunkBytes(code)
  }

  // ---- scripts and functions ----

  start(program: Program, script: Script, args: Slice[], firstKey: number, firstArg: number, argc: number): boolean {
    const { S, sandbox } = this
    const keys = nameTable(S, args, firstKey, firstArg, this.keyTexts)
    const argv = argumentTable(S, args, firstArg, argc)
    this.script = this.library.script = script
    S.mainThread.env = sandbox.globals
    if (this.takesGlobals) sandbox.setArguments(keys, argv)
    this.execution = new Execution(S, program as LuaFunction, this.takesGlobals ? NONE : [keys, argv])
    return this.resume()
  }

  resume(): boolean {
    const execution = this.execution!
    while (execution.resume(BUDGET) === 'suspended') if (this.script!.tick()) return false
    return true
  }

  kill(message: string): void {
    this.execution!.kill(message)
    while (this.execution!.resume(BUDGET) === 'suspended');
  }

  abandon(): void {
    this.execution = undefined
    this.script = undefined
    this.library.release()
  }

  writeResult(reply: Reply, name: string): number {
    const execution = this.execution!
    const { resp } = this.script!
    this.abandon()
    if (execution.state === 'done') return this.writer.write(reply, first(execution.result), resp)
    return this.writeFailure(reply, name, execution.error!)
  }

  private writeFailure(reply: Reply, name: string, error: LuaError | LuaKilled): number {
    let text: string
    let counted = false
    if (error instanceof LuaKilled) text = `ERR ${error.message}`
    else if (error.value instanceof LuaTable) {
      const err = error.value.getName('err')
      text = typeof err === 'string' || typeof err === 'number' ? String(err) : 'ERR unknown error'
      counted = error.value.getName('ignore_error_stats_update') === true
    } else text = `ERR ${this.sandbox.textOf(error.value)}`
    reply.raisedError(`${cText(text)}${this.place(name)}`)
    if (counted) reply.errors--
    return counted ? 1 : 0
  }

  /** The position of the failure, in the format of Redis's error handler. */
  private place(name: string): string {
    const { S } = this
    const level = S.functionAt(1)?.chunk === undefined ? 2 : 1
    const f = S.functionAt(level)
    if (f === undefined) return ''
    if (f.chunk === undefined) return ` script: ${name}, on =[C]:-1.`
    // A loop without calls does not record its position.
    const site = S.siteAt(level) ?? f.chunk.sites[0]
    return ` script: ${name}, on ${f.chunk.source}:${site?.line ?? 1}.`
  }

  // ---- libraries ----

  runLibrary(
    code: string,
    limitMs: number,
    register: (draft: FunctionDraft) => string | undefined,
  ): string | undefined {
    const { S, sandbox, host } = this
    const main = this.function(code, '@user_function')
    if (typeof main === 'string') return `Error compiling function: ${main}`
    this.register = register
    sandbox.beginLoading()
    const execution = new Execution(S, main, [])
    const startUs = host.monotonicUs()
    let late = false
    try {
      while (execution.resume(BUDGET) === 'suspended') {
        late ||= limitMs > 0 && host.monotonicUs() - startUs > limitMs * 1000
        if (late) execution.kill(LOAD_TIMEOUT)
      }
    } finally {
      sandbox.endLoading()
      this.register = undefined
    }
    if (execution.state === 'done') return undefined
    const { error } = execution
    if (error instanceof LuaKilled) return `Error registering functions: ERR ${error.message}`
    const value = error!.value
    const text = value instanceof LuaTable ? value.getName('err') : `ERR ${sandbox.textOf(value)}`
    return `Error registering functions: ${String(text)}`
  }

  private registerFunction(args: LuaValue[]): LuaValue[] {
    if (this.register === undefined)
      throw this.failure('redis.register_function can only be called on FUNCTION LOAD command')
    const draft = registration(args)
    const wrong = typeof draft === 'string' ? draft : this.register(draft)
    if (wrong !== undefined) throw this.failure(wrong)
    return []
  }

  private failure(text: string): LuaError {
    return new LuaError(errorTable(this.S, errorText(text)))
  }
}

function chunkBytes(code: string): number {
  return CHUNK_BYTES + code.length * BYTES_PER_CODE_BYTE
}
