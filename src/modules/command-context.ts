// CommandContext: what a module's command gets. One for each run, since a handler may keep it and wait.
//
// Always: arguments and the client for calls are made when they are first asked for; before the command waits, the
// arguments are copied, since their bytes are the query buffer's.

import type { Client } from '../engine/client.ts'
import type { Context } from '../engine/context.ts'
import { parseDouble, parseInt64 } from '../lib/number.ts'
import { Slice } from '../lib/slice.ts'
import { BorrowedBytes, type Lender } from './borrowed.ts'
import type { DatabaseKeys } from './built-in-keys.ts'
import { copyOf, utf8Text } from './bytes.ts'
import type { ModuleCaller } from './caller.ts'
import { clientFacts } from './client-facts.ts'
import {
  type Borrowed,
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
import { sliceOf } from './values.ts'
import type { WritableDatabaseKeys, Writer } from './writable-keys.ts'

const NO_BYTES = new Uint8Array(0)
const NO_WORD = new Slice()

/** What all commands of a module share. */
export interface ModuleParts {
  readonly caller: ModuleCaller
  readonly keys: ModuleKeys
  readonly server: ModuleServer
  readonly state: { readonly isGone: boolean }
}

/** The same for every run of a command. */
export interface CommandParts extends ModuleParts {
  readonly command: ModuleCommand
  readonly ctx: Context
  readonly isReadOnly: boolean
  readonly isWriting: boolean
  /** The command itself is propagated, and not what it calls. */
  readonly isVerbatim: boolean
}

export class CommandContext implements ModuleContext, Writer, Lender {
  readonly argc: number
  /** The command is running, and has not waited. */
  isOpen = true
  private readonly parts: CommandParts
  private readonly judged: Client
  private readonly slices: readonly Slice[]
  private words: Uint8Array[] | undefined = undefined
  private calling: Client | undefined = undefined
  private writable: WritableDatabaseKeys | undefined = undefined

  constructor(parts: CommandParts, ctx: Context) {
    this.parts = parts
    this.judged = ctx.client
    this.slices = ctx.args
    this.argc = ctx.argc
  }

  get args(): readonly Uint8Array[] {
    if (this.words === undefined) {
      this.mustBeOpen()
      this.words = []
      for (let i = 0; i < this.argc; i++) {
        this.words.push(copyOf(this.slices[i]))
      }
    }
    return this.words
  }

  private mustBeOpen(): void {
    if (!this.isOpen) throw new TypeError('the command has returned: its arguments are gone')
  }

  /** The command has returned; `waits`: its handler goes on. */
  close(waits: boolean): void {
    if (this.writable !== undefined) this.endWriting()
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

  private has(i: number): boolean {
    return i < this.argc && i >= 0 && Number.isInteger(i)
  }

  /** The bytes of a word: a view while the command runs. */
  private at(i: number): Slice {
    return this.isOpen ? this.slices[i] : sliceOf(this.args[i])
  }

  bytes(i: number): Uint8Array {
    if (!this.has(i)) return NO_BYTES
    return this.isOpen && this.words === undefined ? copyOf(this.slices[i]) : this.args[i]
  }

  borrow(i: number): Borrowed {
    this.mustBeOpen()
    return new BorrowedBytes(this, i)
  }

  lent(i: number): Slice | undefined {
    if (!this.isOpen) return undefined
    return this.has(i) ? this.slices[i] : NO_WORD
  }

  text(i: number): string {
    if (!this.has(i)) return ''
    const { u8, off, len } = this.at(i)
    return utf8Text(u8, off, off + len)
  }

  is(i: number, word: string): boolean {
    return this.has(i) && this.text(i).toLowerCase() === word.toLowerCase()
  }

  integer(i: number, error = 'ERR value is not an integer or out of range'): number {
    const n = this.has(i) ? parseInt64(this.at(i)) : Number.NaN
    if (!Number.isSafeInteger(n)) throw new CommandError(error)
    return n
  }

  double(i: number, error = 'ERR value is not a valid float'): number {
    const n = this.has(i) ? parseDouble(this.at(i)) : Number.NaN
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
    return this.parts.caller.call(
      words,
      client,
      asServer ? undefined : client,
      asBytes,
      this.parts.isReadOnly,
      this.judged,
    )
  }

  refusal({ as }: CallOptions, ...words: ModuleWord[]): string | undefined {
    this.mustBeLoaded()
    const { caller } = this.parts
    const client = this.callingClient()
    if (as === 'server') return caller.refusal(words, undefined, this.parts.isReadOnly)
    if (typeof as !== 'object') return caller.refusal(words, client, this.parts.isReadOnly)
    return caller.asUser(as.user, client, () => caller.refusal(words, client, this.parts.isReadOnly))
  }

  get keys(): BuiltInKeys {
    return this.readableKeys()
  }

  private readableKeys(): DatabaseKeys {
    this.mustBeLoaded()
    return this.parts.keys.ofDatabase((this.calling ?? this.judged).db)
  }

  private endWriting(): void {
    this.parts.keys.written(this.writable!)
    this.writable = undefined
  }

  get writableKeys(): WritableKeys {
    if (!this.parts.isWriting || !this.isOpen)
      throw new TypeError(`keys are written in a command with the flag 'write', before it returns or waits`)
    const keys = this.readableKeys()
    if (this.writable?.keys === keys) return this.writable
    if (this.writable !== undefined) this.endWriting()
    this.writable = this.parts.keys.toWrite(keys, this)
    return this.writable
  }

  get ctx(): Context {
    return this.parts.ctx
  }

  get propagates(): boolean {
    return !this.parts.isVerbatim
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
    if (this.parts.isReadOnly || !this.parts.isVerbatim)
      throw new TypeError(`write() needs the flag 'write' and propagation: 'verbatim'`)
    return this.parts.keys.write(this.parts.ctx, type, key, this.parts.command.name, this)
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
    this.mustBeLoaded()
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
