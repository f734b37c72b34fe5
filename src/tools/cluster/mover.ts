// Mover: carries out a plan.
//
//   whole:       MIGRATESLOTS at the source ─▶ its state until it has ended
//   key by key:  IMPORTING, MIGRATING ─▶ MIGRATE until the slot is empty ─▶ NODE at the target, the source, all others
//
// Always: a plan that ends early has moved some slots whole and left all others as they were. Only a failure in the
// middle of a slot that moves key by key leaves it open, and the message says so.

import { ReplyError, textOf, type Value } from '../../protocol/value.ts'
import { complain, EXIT_INTERRUPTED, type Machine, print, ToolError } from '../command-line.ts'
import { pause, Stop } from '../online/session.ts'
import { countText, Progress } from '../progress.ts'
import { type Members, type Primary, rangesOf, runsOf } from './members.ts'
import type { Move } from './plan.ts'

/** Slots in one atomic migration: enough that its overhead is small, few enough that a failure repeats little. */
const SLOTS_AT_ONCE = 1024
const KEYS_AT_ONCE = 100
const MIGRATE_MS = 60_000
const LOOK_MS = 50
const TRIES = 3
const RETRY_MS = 1000
/** How long all nodes may take to learn who serves what. */
const KNOWN_MS = 30_000

export class Mover {
  private readonly machine: Machine
  private readonly members: Members
  private readonly byKeys: boolean
  private readonly stop: Stop
  private readonly startUs: number
  private keys = 0
  private done = 0

  constructor(machine: Machine, members: Members, byKeys: boolean) {
    this.machine = machine
    this.members = members
    this.byKeys = byKeys
    this.stop = new Stop(machine, '')
    this.startUs = machine.clock.monotonicUs()
  }

  /** Throws ToolErrors and ClientErrors. */
  async run(moves: readonly Move[]): Promise<void> {
    const { machine } = this
    const total = moves.reduce((sum, { slots }) => sum + slots.length, 0)
    const progress = new Progress(machine, 'moving slots', total, countText)
    try {
      for (const move of moves) await this.move(move, progress)
    } finally {
      progress.end()
      if (this.done < total) complain(machine, `${this.done} of ${total} slots have moved.\n`)
    }
    for (const { target, slots } of moves) await this.known(slots, target)
    const seconds = ((machine.clock.monotonicUs() - this.startUs) / 1e6).toFixed(1)
    const byKeys = this.keys > 0 ? `, ${countText(this.keys)} keys one by one` : ''
    print(machine, `${total} slots have moved, ${seconds} s${byKeys}\n`)
  }

  private async move({ source, target, slots }: Move, progress: Progress): Promise<void> {
    const whole = !this.byKeys && source.kind !== '' && source.kind === target.kind
    const size = whole ? SLOTS_AT_ONCE : 1
    for (let at = 0; at < slots.length; at += size) {
      if (this.stop.asked) throw new ToolError('given up: the same command plans anew what is left', EXIT_INTERRUPTED)
      const some = slots.slice(at, at + size)
      if (whole) await this.moveWhole(source, target, some)
      else await this.moveKeys(source, target, some[0])
      this.done += some.length
      progress.update(this.done)
    }
  }

  // ---- whole slots ----

  private async moveWhole(source: Primary, target: Primary, slots: readonly number[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      const failure = await this.migration(source, target, slots)
      if (failure === undefined) return
      // The connection may have ended between the claim and its answer.
      if (await this.members.know(slots, target, [source])) return
      if (tries === TRIES || this.stop.asked)
        throw new ToolError(
          `${source.name} keeps the slots ${rangesOf(slots)}: ${failure}`,
          this.stop.asked ? EXIT_INTERRUPTED : undefined,
        )
      await pause(this.machine, RETRY_MS)
    }
  }

  /** One atomic migration; undefined, or why it failed. */
  private async migration(source: Primary, target: Primary, slots: readonly number[]): Promise<string | undefined> {
    const { remote } = source
    const begun = await remote.try('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', ...runsOf(slots).flat(), 'NODE', target.id)
    if (begun instanceof ReplyError) return begun.text
    const ranges = rangesOf(slots)
    let asked = false
    for (;;) {
      // The newest comes first.
      const all = (await remote.call('CLUSTER', 'GETSLOTMIGRATIONS')) as Value[]
      const one = all.find(each => field(each, 'operation') === 'EXPORT' && field(each, 'slot_ranges') === ranges)
      if (one === undefined) return 'the source knows nothing of the migration'
      const state = field(one, 'state')
      if (state === 'success') return undefined
      if (state === 'failed' || state.startsWith('cancel')) return field(one, 'message') || state
      if (this.stop.asked && !asked) {
        asked = true
        const cancelled = await remote.try('CLUSTER', 'MIGRATION', 'CANCEL', 'ID', field(one, 'name'))
        if (cancelled instanceof ReplyError) await remote.try('CLUSTER', 'CANCELSLOTMIGRATIONS')
      }
      await pause(this.machine, LOOK_MS)
    }
  }

  // ---- key by key ----

  private async moveKeys(source: Primary, target: Primary, slot: number): Promise<void> {
    await target.remote.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.id)
    try {
      await source.remote.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id)
    } catch (error) {
      await target.remote.try('CLUSTER', 'SETSLOT', slot, 'STABLE')
      throw error
    }
    for (;;) {
      const keys = (await source.remote.call('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE)) as Uint8Array[]
      if (keys.length === 0) break
      const failure = await this.migrate(source, target, keys)
      if (failure !== undefined)
        throw new ToolError(
          `slot ${slot} is left open, since MIGRATE failed (${failure}): redis-cli --cluster fix ends it`,
        )
      this.keys += keys.length
    }
    // First the target, so that the slot is never without an owner.
    await target.remote.call('CLUSTER', 'SETSLOT', slot, 'NODE', target.id)
    await source.remote.call('CLUSTER', 'SETSLOT', slot, 'NODE', target.id)
    // The others learn it from the bus as well; one of them may be a replica by now.
    const others = this.members.primaries.filter(one => one !== source && one !== target)
    await Promise.all(others.map(({ remote }) => remote.try('CLUSTER', 'SETSLOT', slot, 'NODE', target.id)))
  }

  /**
   * Why it failed. REPLACE: the source is the slot's owner until the end, so what the target has of a key that the
   * source has, too, is from a transfer that was cut off.
   */
  private async migrate(source: Primary, target: Primary, keys: Uint8Array[]): Promise<string | undefined> {
    const { address, user, password } = target.remote.url
    const login = password === '' ? [] : user === '' ? ['AUTH', password] : ['AUTH2', user, password]
    const head = ['MIGRATE', address.host, address.port, '', 0, MIGRATE_MS, 'REPLACE', ...login, 'KEYS']
    const reply = await source.remote.try(...head, ...keys)
    return reply instanceof ReplyError ? reply.text : undefined
  }

  /** Waits until every node knows that the slots are the target's. */
  private async known(slots: readonly number[], target: Primary): Promise<void> {
    const { machine, members } = this
    for (let ms = 0; !(await members.know(slots, target)); ms += LOOK_MS) {
      if (ms >= KNOWN_MS) throw new ToolError(`not all nodes know yet that ${target.name} serves the slots`)
      await pause(machine, LOOK_MS)
    }
  }
}

/** The value behind a name, in a list of names and values. */
function field(fields: Value, name: string): string {
  const list = Array.isArray(fields) ? fields : []
  for (let i = 0; i + 1 < list.length; i += 2) if (textOf(list[i]) === name) return textOf(list[i + 1])
  return ''
}
