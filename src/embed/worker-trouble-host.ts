// In the thread: faults, history, listeners and interceptors of the program.
//
//   listener ─▶ queue ─▶ [before the next message, or at the end of the turn] { events }
//   interceptor ─▶ { intercept } … { next } ─▶ next() ─▶ { nextOf } … { answer } ─▶ the reply
//
// Always: what happened is told before the replies of the commands that it happened in, and in its order.

import type { KeyEvent } from '../modules/definition.ts'
import type { CommandRecord, SentCommand } from './command-record.ts'
import { isSame } from './interception.ts'
import type { EmbeddedServer } from './server.ts'
import type { EmbeddedEvents } from './trouble.ts'
import { asMessage, errorOf, type TroubleCall, type TroubleTold } from './worker-messages.ts'

interface Question {
  readonly command: SentCommand
  next(): unknown
  resolve(answer: unknown): void
}

export class TroubleHost {
  private readonly server: EmbeddedServer
  private readonly post: (told: TroubleTold) => void
  /** How faults, listeners and interceptors are taken back, by their numbers. */
  private readonly taken = new Map<number, () => void>()
  private events: [listener: number, event: unknown][] = []
  private readonly questions = new Map<number, Question>()
  private lastQuestion = 0
  private isAlone = false

  constructor(server: EmbeddedServer, post: (told: TroubleTold) => void) {
    this.server = server
    this.post = post
  }

  change(call: TroubleCall): void {
    const { faults, history } = this.server
    if (call === 'clear') faults.clear()
    else if ('connected' in call) faults.connected = call.connected
    else if ('add' in call) this.taken.set(call.add, faults.on(call.match, call.fault, call.scope))
    else if ('listen' in call) this.listen(call.listen, call.event as keyof EmbeddedEvents)
    else if ('use' in call) this.use(call.use)
    else if ('history' in call) history[call.history]()
    else if ('next' in call) void this.goOn(call.next)
    else if ('answer' in call) this.answered(call)
    else {
      this.taken.get(call.remove)?.()
      this.taken.delete(call.remove)
    }
  }

  /** Runs `work` while the program stands still, and cannot be asked. */
  alone<Result>(work: () => Result): Result {
    this.isAlone = true
    try {
      return work()
    } finally {
      this.isAlone = false
    }
  }

  /** Tells what has happened. */
  flush(): void {
    const { events } = this
    if (events.length === 0) return
    this.events = []
    this.post({ events })
  }

  private listen(number: number, name: keyof EmbeddedEvents): void {
    const heard = (event: unknown) => {
      if (this.events.length === 0) void Promise.resolve().then(() => this.flush())
      this.events.push([number, name.startsWith('key-') ? plainKeyEvent(event as KeyEvent) : event])
    }
    this.taken.set(number, this.server.on(name, heard))
  }

  private use(number: number): void {
    const interceptor = (command: CommandRecord, next: () => unknown) => {
      if (this.isAlone) throw new Error('callSync() cannot wait for an interceptor of the program: use call()')
      const id = ++this.lastQuestion
      return new Promise(resolve => {
        const sent = command as SentCommand
        this.questions.set(id, { command: sent, next, resolve })
        this.flush()
        this.post({ intercept: id, by: number, command: sent })
      })
    }
    this.taken.set(number, this.server.use(interceptor))
  }

  /** The program's interceptor has called next(). */
  private async goOn(id: number): Promise<void> {
    const question = this.questions.get(id)
    if (question === undefined) return
    try {
      const value = await question.next()
      const { command } = question
      if (value === undefined) this.post({ nextOf: id })
      else if (command.wire !== undefined && isSame(value, command.reply)) this.post({ nextOf: id, wire: command.wire })
      else if (value instanceof Error) this.post({ nextOf: id, error: asMessage(value) })
      else this.post({ nextOf: id, value })
    } catch (error) {
      this.post({ nextOf: id, thrown: asMessage(error) })
    }
  }

  private answered({ answer, value, error }: Extract<TroubleCall, { answer: number }>): void {
    const question = this.questions.get(answer)
    this.questions.delete(answer)
    question?.resolve(error === undefined ? value : errorOf(error))
  }
}

/** What is looked up when it is asked for in the server's thread is looked up now. */
function plainKeyEvent({ event, key, database, type, expiresAtMs, oldExpiresAtMs }: KeyEvent): KeyEvent {
  return { event, key, database, type, expiresAtMs, oldExpiresAtMs }
}
