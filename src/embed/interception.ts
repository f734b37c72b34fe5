// Interception: stands between the clients' commands and their execution: faults on demand, interceptors, records.
//
//   input ─▶ run ─▶ record ─▶ fault ─▶ interceptors ─▶ dispatch ─▶ the reply is kept, altered, cut or lost
//                     │         └▶ delay, hang, a promise: the client is postponed, and its command comes here again
//                     └▶ listeners: history, waitFor(), 'command'
//
// Always: it is the input's runner only while somebody wants something of it, so that otherwise nothing is paid. Each
// command is recorded, judged and run once, however often it comes.

import { CLIENT_BLOCKED, CLIENT_CLOSING, CLIENT_MASTER, CLIENT_REPLICA, type Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import { Slice } from '../lib/slice.ts'
import type { Timers } from '../system/system.ts'
import { type CommandRecord, type RecordedReply, type SentCommand, sentCommand } from './command-record.ts'
import { errorText, type Fault, FaultRules } from './faults.ts'
import { writeReply } from './write-reply.ts'

/** The reply of the command, or of the interceptor behind this one; undefined when the command has blocked. */
type Next = () => RecordedReply | undefined | Promise<RecordedReply | undefined>

/**
 * Gets each command of a client: the result is the reply. What next() returned, or undefined, leaves the reply as it
 * is.
 */
export type Interceptor = (command: CommandRecord, next: Next) => unknown

/** A command that has come and has not been answered. */
interface Pending {
  readonly command: SentCommand
  /** What is left to do of its fault. */
  readonly fault: Fault | undefined
  /** The command has run; its reply, whole. */
  hasRun: boolean
  /** Who waits for it to run, when it comes again. */
  wanted: ((reply: RecordedReply | undefined) => void) | undefined
  /** What it waits for: a delay, an interceptor, nothing any more. */
  waitsFor: 'time' | 'interceptor' | 'answer' | undefined
  answer: unknown
}

const NOT_JUDGED = CLIENT_MASTER | CLIENT_REPLICA

export class Interception {
  readonly rules = new FaultRules()
  readonly interceptors: Interceptor[] = []
  readonly listeners = new Set<(command: SentCommand) => void>()
  private readonly engine: Engine
  private readonly timers: Pick<Timers, 'after' | 'soon'>
  private readonly pending = new Map<Client, Pending>()
  /** Clients whose last reply is still sent in pieces. */
  private readonly splitting = new Set<Client>()

  constructor(engine: Engine, timers: Pick<Timers, 'after' | 'soon'>) {
    this.engine = engine
    this.timers = timers
    engine.onClientDisconnected.push(client => {
      this.pending.delete(client)
      this.splitting.delete(client)
    })
  }

  /** After rules, interceptors or listeners have changed. */
  update(): void {
    const { rules, interceptors, listeners, pending, splitting } = this
    const isIdle = rules.isEmpty && interceptors.length === 0 && listeners.size === 0
    this.engine.input.runner = isIdle && pending.size === 0 && splitting.size === 0 ? undefined : this
  }

  /** Takes all rules back: what hangs or is delayed goes on. */
  clear(): void {
    this.rules.clear()
    for (const [client, one] of [...this.pending]) if (one.waitsFor === 'time') this.goOn(client, one)
    this.update()
  }

  run(client: Client, args: Slice[], argc: number): void {
    const { engine, splitting } = this
    if ((client.flags & NOT_JUDGED) !== 0) return engine.input.executor.run(client, args, argc)
    if (splitting.has(client)) return engine.postponed.postpone(client, 'fault')
    const one = this.pending.get(client) ?? this.arrived(client, args, argc)
    if (one.waitsFor === 'time') return engine.postponed.postpone(client, 'fault')
    if (one.waitsFor === 'answer') return this.answer(client, args, argc, one)
    if (one.waitsFor === 'interceptor') return this.runAgain(client, args, argc, one)
    this.execute(client, args, argc, one)
  }

  private arrived(client: Client, args: Slice[], argc: number): Pending {
    const command = sentCommand(client, args, argc, this.engine.keyspace.nowMs)
    for (const listener of [...this.listeners]) listener(command)
    const fault = this.rules.take(command)
    const one: Pending = { command, fault, hasRun: false, wanted: undefined, waitsFor: undefined, answer: undefined }
    if (fault?.hang === true) one.waitsFor = 'time'
    else if (fault?.delayMs !== undefined) {
      one.waitsFor = 'time'
      this.timers.after(fault.delayMs, () => this.goOn(client, one))
    }
    if (one.waitsFor !== undefined) this.pending.set(client, one)
    return one
  }

  /** The command comes again. */
  private goOn(client: Client, one: Pending): void {
    if (this.pending.get(client) !== one) return
    one.waitsFor = undefined
    this.release(client)
  }

  private release(client: Client): void {
    const { engine } = this
    engine.boundary.guard(() => {
      engine.tick()
      engine.postponed.releaseOne(client, 'fault')
      engine.serveBlockedAndFlush()
      engine.output.flushAll()
    })
  }

  private execute(client: Client, args: Slice[], argc: number, one: Pending): void {
    const { engine, interceptors } = this
    const { fault } = one
    if (fault?.drop === 'before') {
      this.forget(client)
      return engine.connections.close(client)
    }
    if (fault?.error !== undefined) {
      const { error } = fault
      const refuse = () => {
        client.lastCommand = engine.table.resolve(args, argc)
        engine.dispatch.refuse(client, errorText(error), client.lastCommand)
      }
      return this.end(client, one, refuse)
    }
    if (interceptors.length === 0) return this.end(client, one, () => engine.input.executor.run(client, args, argc))
    this.intercept(client, args, argc, one)
  }

  /** Writes the reply by `write`, does to it what the fault says, and forgets the command. */
  private end(client: Client, one: Pending, write: () => void): void {
    const { engine } = this
    const { reply, output } = engine
    const { fault, command } = one
    const from = reply.pos
    const { rewinds } = output
    this.forget(client)
    write()
    const isWhole = output.rewinds === rewinds && reply.pos >= from
    if (isWhole && command.wire === undefined) command.wire = reply.u8.slice(from, reply.pos)
    if (fault === undefined) return
    if (client.has(CLIENT_CLOSING)) return
    if (fault.drop === 'after') engine.connections.close(client)
    else if (fault.cutReplyAt !== undefined) {
      if (isWhole) reply.pos = Math.min(reply.pos, from + fault.cutReplyAt)
      engine.connections.closeAfterReply(client)
    } else if (fault.splitReply !== undefined && isWhole) this.split(client, from, fault.splitReply)
  }

  private forget(client: Client): void {
    if (this.pending.delete(client) || this.rules.isEmpty) this.update()
  }

  /** Sends the reply from `from` on in pieces, one in each turn of the event loop. */
  private split(client: Client, from: number, bytes: number): void {
    const { engine } = this
    const { reply } = engine
    const rest = reply.u8.slice(from, reply.pos)
    if (rest.length <= bytes) return
    reply.pos = from + bytes
    let at = bytes
    const next = () => {
      if (!this.splitting.has(client)) return
      const piece = new Slice(rest, at, Math.min(bytes, rest.length - at))
      at += bytes
      engine.boundary.guard(() => {
        engine.replyTo(client, to => to.raw(piece))
        engine.output.flushAll()
      })
      if (at < rest.length) return this.timers.soon(next)
      this.splitting.delete(client)
      this.update()
      this.release(client)
    }
    this.splitting.add(client)
    this.update()
    this.timers.soon(next)
  }

  // ---- interceptors ----

  private intercept(client: Client, args: Slice[], argc: number, one: Pending): void {
    const { engine, interceptors } = this
    const { command } = one
    const chain = [...interceptors]
    let isHere = true
    const step = (i: number): ReturnType<Next> => {
      if (i < chain.length) {
        const value = chain[i](command, () => step(i + 1))
        // To an interceptor before this one, undefined is what the server replies.
        if (i === 0) return value as ReturnType<Next>
        const whole = (inner: unknown) => (inner === undefined ? step(chain.length) : (inner as RecordedReply))
        return isPromise(value) ? value.then(whole) : whole(value)
      }
      if (one.hasRun) return command.reply
      if (isHere) return this.runNow(client, args, argc, one)
      return new Promise(resolve => {
        one.wanted = resolve
        this.release(client)
      })
    }
    let answer: unknown
    try {
      answer = step(0)
    } catch (error) {
      answer = asError(error)
    }
    isHere = false
    if (one.hasRun && client.has(CLIENT_BLOCKED)) return this.forget(client)
    one.answer = answer
    if (!isPromise(answer)) return this.answer(client, args, argc, one)
    one.waitsFor = 'interceptor'
    this.pending.set(client, one)
    engine.postponed.postpone(client, 'fault')
    const answered = (value: unknown) => {
      if (this.pending.get(client) !== one) return
      one.answer = value
      one.waitsFor = 'answer'
      this.release(client)
    }
    answer.then(answered, (error: unknown) => answered(asError(error)))
  }

  /** The interceptors have answered: undefined leaves it to the server. */
  private answer(client: Client, args: Slice[], argc: number, one: Pending): void {
    const { engine } = this
    const { answer, command, hasRun } = one
    if (hasRun || answer !== undefined) return this.end(client, one, () => writeAnswer(engine, command, answer))
    this.end(client, one, () => engine.input.executor.run(client, args, argc))
  }

  /** Runs the command, and takes its reply out of the buffer. */
  private runNow(client: Client, args: Slice[], argc: number, one: Pending): RecordedReply | undefined {
    const { engine } = this
    const { reply, output } = engine
    const from = reply.pos
    const { rewinds } = output
    one.hasRun = true
    engine.input.executor.run(client, args, argc)
    if (output.rewinds !== rewinds) return undefined
    one.command.wire = reply.u8.slice(from, reply.pos)
    reply.pos = from
    return one.command.reply
  }

  /** An interceptor that has waited calls next(): the command runs, and its client goes on waiting. */
  private runAgain(client: Client, args: Slice[], argc: number, one: Pending): void {
    const { wanted } = one
    if (wanted !== undefined) {
      one.wanted = undefined
      const value = this.runNow(client, args, argc, one)
      this.timers.soon(() => wanted(value))
      if (client.has(CLIENT_BLOCKED)) return this.forget(client)
    }
    this.engine.postponed.postpone(client, 'fault')
  }
}

/** The reply that the command had, or another. */
function writeAnswer(engine: Engine, command: SentCommand, answer: unknown): void {
  const { wire } = command
  if (wire !== undefined && (answer === undefined || isSame(answer, command.reply)))
    engine.reply.raw(new Slice(wire, 0, wire.length))
  else {
    writeReply(engine.reply, answer)
    command.wire = undefined
  }
}

/** Each time the reply is read it is another object. */
export function isSame(answer: unknown, reply: unknown): boolean {
  if (answer === reply) return true
  if (answer instanceof Error && reply instanceof Error) return answer.message === reply.message
  return typeof answer === 'object' && asJson(answer) === asJson(reply)
}

function asJson(value: unknown): string {
  return JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : one))
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function'
}
