// Trouble: what a program asks of its server's commands: faults, history, waiting, interceptors, events. All of them
// use one Interception, made when the first is used.
//
// Always: every listener is taken back by the function that it was given for; what one throws hurts nobody else.

import type { Client } from '../engine/client.ts'
import { EVENT_NAMES } from '../modules/events.ts'
import { outside } from '../net/memory.ts'
import type { Server } from '../server/server.ts'
import type { CommandRecord, SentCommand } from './command-record.ts'
import { type CommandMatch, type Fault, type FaultScope, matches } from './faults.ts'
import { Interception, type Interceptor } from './interception.ts'
import { decoded } from './shaped.ts'

/** What goes wrong, on demand. */
export interface Faults {
  /** From now on; the result takes it back. */
  on(command: CommandMatch, fault: Fault, scope?: FaultScope): () => void
  /** The next such command. */
  next(command: CommandMatch, fault: Fault): void
  /** False: connections are closed, and refused until it is true again. */
  connected: boolean
  /** Nothing goes wrong any more; what hangs or is delayed goes on. */
  clear(): void
}

/** The commands that clients have sent. */
export interface History {
  /** The last ones, up to 10,000. */
  readonly commands: readonly CommandRecord[]
  start(): void
  stop(): void
  clear(): void
}

/** A client that has connected or disconnected. */
export interface ClientEvent {
  readonly client: number
  readonly clientName: string
  readonly address: string
}

/** A key that has expired or was evicted: the events 'key-expired' and 'key-evicted' of modules, in text. */
export interface KeyspaceEvent {
  readonly key: string
  readonly db: number
}

export interface EmbeddedEvents {
  command: CommandRecord
  connect: ClientEvent
  disconnect: ClientEvent
  expired: KeyspaceEvent
  evicted: KeyspaceEvent
}

const OWN_EVENTS: readonly string[] = ['command', 'connect', 'disconnect', 'expired', 'evicted']

/** Throws a TypeError for what on() does not know. */
export function checkEvent(name: string): void {
  if (!OWN_EVENTS.includes(name) && !(EVENT_NAMES as readonly string[]).includes(name))
    throw new TypeError(`there is no event '${String(name)}'`)
}

const HISTORY_MAX = 10_000

export class Trouble {
  private readonly server: Server
  private made: Interception | undefined
  private readonly recorded: CommandRecord[] = []
  private readonly record = (command: CommandRecord) => {
    if (this.recorded.push(command) > HISTORY_MAX) this.recorded.splice(0, HISTORY_MAX / 10)
  }
  private readonly heard = new Map<string, Set<(event: never) => void>>()

  constructor(server: Server) {
    this.server = server
  }

  private get interception(): Interception {
    this.made ??= new Interception(this.server.engine, this.server.system.timers)
    return this.made
  }

  get faults(): Faults {
    const { engine } = this.server
    const add = (command: CommandMatch, fault: Fault, scope?: FaultScope) => {
      const takeBack = this.interception.rules.add(command, fault, scope)
      this.interception.update()
      return () => {
        takeBack()
        this.interception.update()
      }
    }
    return {
      on: add,
      next: (command, fault) => void add(command, fault, { times: 1 }),
      get connected() {
        return !engine.connections.refuses
      },
      set connected(isOn: boolean) {
        engine.connections.refuses = !isOn
        if (!isOn) for (const client of [...engine.clients.values()]) engine.connections.close(client)
      },
      clear: () => {
        engine.connections.refuses = false
        this.made?.clear()
      },
    }
  }

  get history(): History {
    const { recorded } = this
    return {
      commands: recorded,
      start: () => void this.listen(this.record),
      stop: () => this.unlisten(this.record),
      clear: () => {
        recorded.length = 0
      },
    }
  }

  waitFor(match: CommandMatch, test?: (args: string[]) => boolean): Promise<CommandRecord> {
    return new Promise(resolve => {
      const listener = (command: SentCommand) => {
        if (!matches(match, command) || test?.([...command.args]) === false) return
        this.unlisten(listener)
        resolve(command)
      }
      this.listen(listener)
    })
  }

  use(interceptor: Interceptor): () => void {
    const { interceptors } = this.interception
    interceptors.push(interceptor)
    this.interception.update()
    return () => {
      const at = interceptors.indexOf(interceptor)
      if (at >= 0) interceptors.splice(at, 1)
      this.interception.update()
    }
  }

  on<Name extends keyof EmbeddedEvents>(event: Name, listener: (event: EmbeddedEvents[Name]) => void): () => void {
    if (event === 'command') {
      const safe = (command: CommandRecord) => outside(() => listener(command as EmbeddedEvents[Name]))
      this.listen(safe)
      return () => this.unlisten(safe)
    }
    checkEvent(event)
    let listeners = this.heard.get(event)
    if (listeners === undefined) {
      listeners = new Set()
      this.heard.set(event, listeners)
      this.hear(event)
    }
    const all = listeners
    all.add(listener as (event: never) => void)
    return () => void all.delete(listener as (event: never) => void)
  }

  /** As createServer() has made it: no faults, interceptors and listeners to commands. */
  reset(): void {
    this.recorded.length = 0
    this.server.engine.connections.refuses = false
    if (this.made === undefined) return
    this.made.interceptors.length = 0
    this.made.listeners.clear()
    this.made.clear()
  }

  private listen(listener: (command: SentCommand) => void): void {
    this.interception.listeners.add(listener)
    this.interception.update()
  }

  private unlisten(listener: (command: SentCommand) => void): void {
    this.interception.listeners.delete(listener)
    this.interception.update()
  }

  private hear(event: keyof EmbeddedEvents): void {
    const { engine, events } = this.server
    const tell = (what: unknown) => {
      for (const listener of [...(this.heard.get(event) ?? [])]) outside(() => listener(what as never))
    }
    const ofClient = ({ id, name, connection }: Client) =>
      tell({ client: id, clientName: name, address: connection.peer } satisfies ClientEvent)
    if (event === 'connect') engine.connections.onConnected.push(ofClient)
    else if (event === 'disconnect') engine.onClientDisconnected.push(ofClient)
    else
      events.on(`key-${event as 'expired' | 'evicted'}`, ({ key, database }) =>
        tell({ key: decoded(key), db: database } satisfies KeyspaceEvent),
      )
  }
}
