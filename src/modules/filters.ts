// ModuleFilters: functions of modules that see each command of a client first, and may refuse or rewrite it.
//
//   parsed command ─▶ filter ─▶ filter ─▶ lookup, gates, run
//
// Always: without filters dispatch has none. A filter runs outside of commands, so it must not call any.

import type { Client } from '../engine/client.ts'
import type { Engine } from '../engine/engine.ts'
import type { Slice } from '../lib/slice.ts'
import { oneLine } from '../lib/text.ts'
import { Unwind } from '../lib/unwind.ts'
import { errorBytes } from '../protocol/reply.ts'
import { clientFacts } from './client-facts.ts'
import { type CommandFilter, isCommandError } from './definition.ts'
import { logThrown } from './harmless.ts'
import { byteText, sliceOf } from './values.ts'

export class ModuleFilters {
  private readonly engine: Engine
  private filters: readonly CommandFilter[] = []

  constructor(engine: Engine) {
    this.engine = engine
  }

  add(filter: CommandFilter): () => void {
    if (typeof filter !== 'function') throw new TypeError('a filter is a function')
    const own: CommandFilter = command => filter(command)
    this.become([...this.filters, own])
    return () => this.become(this.filters.filter(one => one !== own))
  }

  private become(filters: readonly CommandFilter[]): void {
    this.filters = filters
    this.engine.dispatch.filter = filters.length === 0 ? undefined : this.judge
  }

  private readonly judge = (client: Client, args: Slice[], argc: number): Uint8Array | Slice[] | undefined => {
    let words = args.slice(0, argc).map(one => one.copy().view())
    let isOther = false
    const by = clientFacts(client)
    for (const filter of this.filters) {
      try {
        const rewritten = filter({ args: words, client: by })
        if (rewritten === undefined || rewritten.length === 0) continue
        words = rewritten.map(word => sliceOf(word).view())
        isOther = true
      } catch (error) {
        if (error instanceof Unwind) throw error
        if (isCommandError(error)) return errorBytes(oneLine(byteText(error.message)))
        logThrown(this.engine, 'A command filter', error)
      }
    }
    return isOther ? words.map(sliceOf) : undefined
  }
}
