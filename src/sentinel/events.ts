// Events of a sentinel: each is a log line, a message on the channel of its name, and, when it is a warning that
// concerns a primary, a run of that primary's notification script.
//
//   +sdown   slave 10.0.0.2:6379 10.0.0.2 6379 @ mymaster 10.0.0.1 6379
//   channel  message

import type { LogLevel } from '../system/system.ts'
import type { Addresses } from './addresses.ts'
import { type AnyInstance, type Primary, primaryOf } from './instance.ts'
import type { ScriptQueue } from './scripts.ts'

interface EventSinks {
  addresses: Addresses
  scripts: ScriptQueue
  log(level: LogLevel, text: string): void
  publish(channel: string, message: string): void
}

export class Events {
  private readonly sinks: EventSinks

  constructor(sinks: EventSinks) {
    this.sinks = sinks
  }

  /** An event about an instance: its message begins with the instance's name and address. */
  about(instance: AnyInstance, level: LogLevel, type: string, more = ''): void {
    this.send(level, type, this.describe(instance) + more, primaryOf(instance))
  }

  /** Says once why an instance cannot be used although it may well be up; '': it can be. */
  trouble(instance: AnyInstance, trouble: string): void {
    if (instance.link.trouble === trouble) return
    instance.link.trouble = trouble
    if (trouble !== '') this.about(instance, 'warning', '-link-trouble', ` #${trouble}`)
  }

  /** An event with a text of its own, which may concern a primary. */
  send(level: LogLevel, type: string, message: string, primary?: Primary): void {
    const { log, publish, scripts } = this.sinks
    log(level, `${type} ${message}`)
    if (level !== 'debug') publish(type, message)
    const script = primary?.settings.notificationScript ?? ''
    if (level === 'warning' && script !== '') scripts.add([script, type, message])
  }

  private describe(instance: AnyInstance): string {
    const own = this.place(instance)
    return instance.kind === 'master' ? `master ${own}` : `${instance.kind} ${own} @ ${this.place(instance.primary)}`
  }

  private place({ name, address }: AnyInstance): string {
    return `${name} ${this.sinks.addresses.announced(address)} ${address.port}`
  }
}
