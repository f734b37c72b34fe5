// CommandContext: what a module's command gets. One for each run, since a handler may keep it and wait.
//
// Always: arguments and the client for calls are made when they are first asked for; before the command waits, the
// arguments are copied, since their bytes are the query buffer's.

import { CMD_READONLY, CMD_WRITE } from '../engine/catalog/command.ts'
import type { Client } from '../engine/client.ts'
import type { Context } from '../engine/context.ts'
import { parseDouble, parseInt64 } from '../lib/number.ts'
import type { Slice } from '../lib/slice.ts'
import type { DatabaseKeys } from './built-in-keys.ts'
import type { ModuleCaller } from './caller.ts'
import { clientFacts } from './client-facts.ts'
import {
  type CallOptions,
  type CallReply,
  CommandError,
  type CommandFilter,
  type FilterOptions,
  type KeyWait,
  type ModuleClient,
  type ModuleCommand,
  type ModuleContext,
  type ModuleServer,
  type ModuleWord,
  type ParameterValue,
  type ReplyFilter,
  type ServerEventName,
  type ServerEvents,
  type WaitOptions,
} from './definition.ts'
import type { BuiltInKeys, WritableKeys } from './key-definition.ts'
import type { ModuleKeys } from './keys.ts'
import type { ModuleType, TypedKey } from './type-definition.ts'
import { copyOf, sliceOf, utf8Text } from './values.ts'
import type { WritableDatabaseKeys, Writer } from './writable-keys.ts'

const NO_BYTES = new Uint8Array(0)

/** What all commands of a module share. */
export interface CommandParts {
  readonly caller: ModuleCaller
  readonly keys: ModuleKeys
  readonly server: ModuleServer
  readonly state: { readonly isGone: boolean }
}

export class CommandContext implements ModuleContext, Writer {
  readonly argc: number
  /** The command is running, and has not waited. */
  isOpen = true
  private readonly parts: CommandParts
  readonly ctx: Context
  private readonly command: ModuleCommand
  private readonly judged: Client
  private readonly isReadOnly: boolean
  private readonly slices: readonly Slice[]
  private words: Uint8Array[] | undefined
  private calling: Client | undefined
  private builtIn: DatabaseKeys | undefined
  private writable: WritableDatabaseKeys | undefined

  constructor(parts: CommandParts, ctx: Context, command: ModuleCommand) {
    this.parts = parts
    this.ctx = ctx
    this.command = command
    this.judged = ctx.client
    this.isReadOnly = (ctx.command.flags & CMD_READONLY) !== 0
    this.slices = ctx.args
    this.argc = ctx.argc
  }

  get args(): readonly Uint8Array[] {
    if (this.words === undefined) {
      if (!this.isOpen) throw new TypeError('the command has returned: its arguments are gone')
      this.words = []
      for (let i = 0; i < this.argc; i++) {
        this.words.push(copyOf(this.slices[i]))
      }
    }
    return this.words
  }

  /** The command has returned; `waits`: its handler goes on. */
  close(waits: boolean): void {
    this.endWriting()
    if (waits) {
      void this.args
      this.callingClient()
    } else if (this.calling !== undefined) {
      this.parts.caller.release(this.calling)
      this.calling = undefined
    }
    this.isOpen = false
  }

  private callingClient(): Client {
    this.calling ??= this.parts.caller.clientFor(this.judged)
    return this.calling
  }

  /** A handler that waits may go on after its client and its module have gone. */
  private mustBeLoaded(): void {
    if (this.parts.state.isGone) throw new CommandError('ERR the module has been unloaded')
  }

  get client(): ModuleClient {
    return clientFacts(this.judged)
  }

  // ---- arguments ----

  /** The bytes of a word: a view while the command runs. */
  private at(i: number): Slice {
    return this.isOpen ? this.slices[i] : sliceOf(this.args[i])
  }

  bytes(i: number): Uint8Array {
    if (i >= this.argc) return NO_BYTES
    return this.isOpen && this.words === undefined ? copyOf(this.slices[i]) : this.args[i]
  }

  text(i: number): string {
    if (i >= this.argc) return ''
    const { u8, off, len } = this.at(i)
    return utf8Text(u8, off, off + len)
  }

  is(i: number, word: string): boolean {
    return i < this.argc && this.text(i).toLowerCase() === word.toLowerCase()
  }

  integer(i: number, error = 'ERR value is not an integer or out of range'): number {
    const n = i < this.argc ? parseInt64(this.at(i)) : Number.NaN
    if (!Number.isSafeInteger(n)) throw new CommandError(error)
    return n
  }

  double(i: number, error = 'ERR value is not a valid float'): number {
    const n = i < this.argc ? parseDouble(this.at(i)) : Number.NaN
    if (Number.isNaN(n)) throw new CommandError(error)
    return n
  }

  // ---- commands and keys ----

  call(...words: ModuleWord[]): CallReply {
    return this.run(words, false, false)
  }

  callWith({ as, bytes }: CallOptions, ...words: ModuleWord[]): CallReply {
    if (typeof as !== 'object') return this.run(words, as === 'server', bytes === true)
    return this.parts.caller.asUser(as.user, this.callingClient(), () => this.run(words, false, bytes === true))
  }

  private run(words: readonly ModuleWord[], asServer: boolean, asBytes: boolean): CallReply {
    this.mustBeLoaded()
    const client = this.callingClient()
    return this.parts.caller.call(words, client, asServer ? undefined : client, asBytes, this.isReadOnly, this.judged)
  }

  refusal({ as }: CallOptions, ...words: ModuleWord[]): string | undefined {
    const { caller } = this.parts
    const client = this.callingClient()
    if (as === 'server') return caller.refusal(words, undefined, this.isReadOnly)
    if (typeof as !== 'object') return caller.refusal(words, client, this.isReadOnly)
    return caller.asUser(as.user, client, () => caller.refusal(words, client, this.isReadOnly))
  }

  get keys(): BuiltInKeys {
    return this.readableKeys()
  }

  private readableKeys(): DatabaseKeys {
    this.mustBeLoaded()
    const { db } = this.calling ?? this.judged
    if (this.builtIn?.db !== db) {
      this.endWriting()
      this.builtIn = this.parts.keys.ofDatabase(db)
    }
    return this.builtIn
  }

  private endWriting(): void {
    if (this.writable !== undefined) this.parts.keys.written(this.builtIn!, this.writable)
    this.writable = undefined
  }

  get writableKeys(): WritableKeys {
    if ((this.ctx.command.flags & CMD_WRITE) === 0 || !this.isOpen)
      throw new TypeError(`keys are written in a command with the flag 'write', before it returns or waits`)
    const keys = this.readableKeys()
    this.writable ??= this.parts.keys.toWrite(keys, this)
    return this.writable
  }

  get propagates(): boolean {
    return this.command.propagation !== 'verbatim'
  }

  change(words: readonly ModuleWord[]): CallReply {
    return this.parts.caller.change(words, this.callingClient())
  }

  read<Value>(type: ModuleType<Value>, key: ModuleWord): Value | undefined {
    this.mustBeLoaded()
    return this.parts.keys.read((this.calling ?? this.judged).db, type, key)
  }

  write<Value>(type: ModuleType<Value>, key: ModuleWord): TypedKey<Value> {
    if (!this.isOpen) throw new TypeError('a key is written before its command returns or waits')
    if (this.isReadOnly || this.command.propagation !== 'verbatim')
      throw new TypeError(`write() needs the flag 'write' and propagation: 'verbatim'`)
    return this.parts.keys.write(this.ctx, type, key, this.command.name, () => this.isOpen)
  }

  waitForKeys(first: number, options: WaitOptions = {}): KeyWait {
    const { last = first } = options
    if (!Number.isInteger(first) || !Number.isInteger(last) || first < 1 || last < first || last >= this.argc)
      throw new RangeError(`words ${first} to ${last} are no arguments of the command`)
    return { ...options, first, last, isKeyWait: true }
  }

  get hasWaited(): boolean {
    return this.isOpen && this.parts.keys.isAgain(this.judged)
  }

  keyReady(key: ModuleWord): void {
    this.parts.keys.ready((this.calling ?? this.judged).db, key)
  }

  // ---- as any code of a module ----

  atomically<Result>(work: () => Result): Result {
    return this.parts.server.atomically(work)
  }

  nowMs(): number {
    return this.parts.server.nowMs()
  }

  random(): number {
    return this.parts.server.random()
  }

  on<Name extends ServerEventName>(name: Name, listener: (event: ServerEvents[Name]) => unknown): () => void {
    return this.parts.server.on(name, listener)
  }

  filter(filter: CommandFilter, options?: FilterOptions): () => void {
    return this.parts.server.filter(filter, options)
  }

  filterReplies(filter: ReplyFilter): () => void {
    return this.parts.server.filterReplies(filter)
  }

  config(name: string): ParameterValue {
    return this.parts.server.config(name)
  }

  closeClient(id: number): boolean {
    return this.parts.server.closeClient(id)
  }

  log(level: 'debug' | 'verbose' | 'notice' | 'warning', text: string): void {
    this.parts.server.log(level, text)
  }

  after(ms: number, work: () => void): () => void {
    return this.parts.server.after(ms, work)
  }

  every(ms: number, work: () => void): () => void {
    return this.parts.server.every(ms, work)
  }
}
