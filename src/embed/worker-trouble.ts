// Faults, history, listeners and interceptors of a server in a thread, as the program sees them. Listeners,
// interceptors and what waitFor() compares run here.
//
// Always: what is wrong with an argument is said here, at once; what a listener throws hurts nobody else.

import { outside } from '../net/memory.ts'
import { type CommandFields, type CommandRecord, type RecordedReply, SentCommand } from './command-record.ts'
import { type CommandMatch, checkFault, matches } from './faults.ts'
import { checkEvent, type Faults, type History } from './trouble.ts'
import { asMessage, errorOf, type TroubleCall, type TroubleTold } from './worker-messages.ts'

/** As Interceptor; next() is always a promise. */
export type WorkerInterceptor = (command: CommandRecord, next: () => Promise<RecordedReply | undefined>) => unknown

type NextOf = Extract<TroubleTold, { nextOf: number }>

export class ThreadTrouble {
  readonly faults: Faults
  readonly history: History
  private readonly post: (call: TroubleCall) => void
  private readonly during: (work: () => Promise<void>) => void
  private lastNumber = 0
  private isConnected = true
  private readonly listeners = new Map<number, (event: never) => void>()
  /** Those of commands, which a reset takes back. */
  private readonly ofCommands = new Set<number>()
  private readonly interceptors = new Map<number, WorkerInterceptor>()
  /** Who waits for next(), by the numbers of questions. */
  private readonly awaited = new Map<number, (reply: NextOf) => void>()

  /** `recorded` asks the thread for the history and waits; the process lives until what `during` is given ends. */
  constructor(
    post: (call: TroubleCall) => void,
    recorded: () => CommandFields[],
    during: (work: () => Promise<void>) => void,
  ) {
    this.post = post
    this.during = during
    this.faults = this.faultsOf()
    this.history = {
      get commands() {
        return recorded().map(fields => new SentCommand(fields))
      },
      start: () => post({ history: 'start' }),
      stop: () => post({ history: 'stop' }),
      clear: () => post({ history: 'clear' }),
    }
  }

  private faultsOf(): Faults {
    const { post } = this
    const on: Faults['on'] = (match, fault, scope) => {
      checkFault(fault)
      if (typeof match === 'function')
        throw new TypeError('faults of a server in a worker match by name: a text or an expression')
      const add = ++this.lastNumber
      post({ add, match, fault, scope })
      return () => post({ remove: add })
    }
    const connected = (isOn: boolean) => {
      this.isConnected = isOn
    }
    const isConnected = () => this.isConnected
    return {
      on,
      next: (match, fault) => void on(match, fault, { times: 1 }),
      get connected() {
        return isConnected()
      },
      set connected(isOn: boolean) {
        connected(isOn)
        post({ connected: isOn })
      },
      clear: () => {
        connected(true)
        post('clear')
      },
    }
  }

  on(event: string, listener: (event: never) => void): () => void {
    checkEvent(event)
    const listen = ++this.lastNumber
    this.listeners.set(listen, listener)
    if (event === 'command') this.ofCommands.add(listen)
    this.post({ listen, event })
    return () => {
      this.ofCommands.delete(listen)
      if (this.listeners.delete(listen)) this.post({ remove: listen })
    }
  }

  waitFor(match: CommandMatch, test?: (args: string[]) => boolean): Promise<CommandRecord> {
    return new Promise(resolve => {
      const takeBack = this.on('command', (command: SentCommand) => {
        if (!matches(match, command) || test?.([...command.args]) === false) return
        takeBack()
        resolve(command)
      })
    })
  }

  use(interceptor: WorkerInterceptor): () => void {
    const use = ++this.lastNumber
    this.interceptors.set(use, interceptor)
    this.post({ use })
    return () => {
      if (this.interceptors.delete(use)) this.post({ remove: use })
    }
  }

  /** The thread has taken everything back but listeners to other events than commands. */
  reset(): void {
    this.isConnected = true
    this.interceptors.clear()
    for (const number of this.ofCommands) this.listeners.delete(number)
    this.ofCommands.clear()
  }

  /** The thread has ended: nothing that an interceptor waits for will come. */
  ended(error: Error): void {
    for (const [nextOf, take] of this.awaited) take({ nextOf, thrown: asMessage(error) })
    this.awaited.clear()
  }

  received(told: TroubleTold): void {
    if ('events' in told) for (const [number, event] of told.events) this.heard(number, event)
    else if ('intercept' in told) this.during(() => this.intercept(told))
    else {
      this.awaited.get(told.nextOf)?.(told)
      this.awaited.delete(told.nextOf)
    }
  }

  private heard(number: number, event: unknown): void {
    const listener = this.listeners.get(number)
    const value = this.ofCommands.has(number) ? new SentCommand(event as CommandFields) : event
    if (listener !== undefined) outside(() => listener(value as never))
  }

  private async intercept({ intercept, by, command }: Extract<TroubleTold, { intercept: number }>): Promise<void> {
    const record = new SentCommand(command)
    let run: Promise<RecordedReply | undefined> | undefined
    const next = () => {
      run ??= this.ran(intercept, record)
      return run
    }
    try {
      const value = await this.interceptors.get(by)?.(record, next)
      if (value instanceof Error) this.post({ answer: intercept, error: asMessage(value) })
      else this.post({ answer: intercept, value })
    } catch (error) {
      this.post({ answer: intercept, error: asMessage(error) })
    }
  }

  /** The command runs in the thread, or the interceptor behind this one does. */
  private async ran(question: number, record: SentCommand): Promise<RecordedReply | undefined> {
    const reply = await new Promise<NextOf>(resolve => {
      this.awaited.set(question, resolve)
      this.post({ next: question })
    })
    if (reply.thrown !== undefined) throw errorOf(reply.thrown)
    record.wire = reply.wire
    if (reply.wire !== undefined) return record.reply
    return reply.error === undefined ? (reply.value as RecordedReply | undefined) : errorOf(reply.error)
  }
}
