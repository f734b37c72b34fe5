// Several clients at once: a step is sent without waiting for its reply, because it may block, be muted, paused or
// killed. Once both servers have run everything that was sent, all that any client has received is compared.
//
//   client 1: BLPOP l1 0    client 2: CLIENT REPLY SKIP, LPUSH l1 a    client 1 has: l1, a    client 2 has: nothing

import { encodeCommand, type Word } from '../harness/resp.ts'
import { sleep } from '../harness/target.ts'
import { Chooser, type EpochOptions, made } from './epoch.ts'
import { Gen } from './gen.ts'
import { CROWD_SIZE, crowd } from './grammar/crowd.ts'
import type { CommandGrammar } from './grammar/grammar.ts'
import type { Difference, Found, Line, Pair } from './pair.ts'
import { playBatches } from './play.ts'
import { text } from './state.ts'
import { idOf, keysIn, type Step } from './step.ts'

const BATCH_MAX = 4
/** Commands that a waiting client is sent. */
const BEHIND_MAX = 1
const OTHER_SHARE = 0.35
/** All figures are compared after every so many batches. */
const LOOK_EVERY = 4
const LATE_MS = 80

/** An epoch of a crowd: its own commands, and those of `others` whose replies are exact and do not block. */
export function makeCrowd(others: readonly CommandGrammar[], seed: number, options: EpochOptions): Step[] {
  const g = new Gen(seed)
  // Redis never shows a monitor what it has held back (docs/differences.md).
  const left = g.chance(0.5) ? /^MONITOR$/ : /^CLIENT (UN)?PAUSE$/
  const own = new Chooser(
    g,
    crowd.filter(({ name }) => !left.test(name)),
  )
  const rest = new Chooser(
    g,
    others.filter(({ reply, delicate, followUp, name }) => !reply && !delicate && !followUp && !/^SCRIPT/.test(name)),
  )
  const steps: Step[] = []
  const muted = new Set<number>()
  while (steps.length < options.commandCount) {
    const connection = g.number(0, CROWD_SIZE - 1)
    for (let left = g.number(1, BATCH_MAX); left > 0; left--) {
      const command = (g.chance(OTHER_SHARE) && !rest.isEmpty ? rest : own).next()
      const more = made(g, command, connection, false)
      if (command.name === 'CLIENT REPLY') muted.add(connection)
      // Redis leaves a client open that kills itself and may not be told (docs/differences.md).
      if (!muted.has(connection) || !more.some(step => killsItself(step))) steps.push(...more)
    }
  }
  return steps
}

function killsItself({ connection, words: [, verb, ...filters] }: Step): boolean {
  return verb === 'KILL' && filters.includes(idOf(connection)) && filters.includes('no')
}

/** Commands that may wait. */
const WAITING = /^(?:B[LRZ]|XREAD|WAIT)/i

/** The first difference in what any client has received, beside it or, at the end, in the data. */
export function playCrowd(pair: Pair, steps: readonly Step[], options: EpochOptions): Promise<Difference | undefined> {
  const unseen = steps.some(({ words }) => words[1] === 'PAUSE') ? ['MONITOR'] : []
  return playBatches(pair, steps, options, BATCH_MAX, async () => {
    const room = new Room(pair, options)
    let batch = 0
    return async from => {
      const { connection } = steps[from]
      const most = room.someWait ? 1 : BATCH_MAX
      let to = from
      // Of what stands behind a command that waits, one at most: see send().
      const isFull = () =>
        steps.slice(from, Math.max(from, to - BEHIND_MAX)).some(({ words: [name] }) => WAITING.test(name))
      while (to < steps.length && to - from < most && steps[to].connection === connection && !isFull()) to++
      const some = steps.slice(from, to)
      await room.send(connection, some)
      const isLook = ++batch % LOOK_EVERY === 0 || to === steps.length
      return { to, found: await room.difference(isLook ? keysIn(some) : undefined, unseen) }
    }
  })
}

/** The clients of a crowd. */
class Room {
  private readonly pair: Pair
  private readonly options: EpochOptions
  private readonly lines: Line[] = []
  /** Clients that are blocked or paused, and how much each was sent since. */
  private waiting: ReadonlySet<string> = new Set()
  private readonly sentBehind = new Map<string, number>()
  private hasBroadcasts = false

  constructor(pair: Pair, options: EpochOptions) {
    this.pair = pair
    this.options = options
  }

  get someWait(): boolean {
    return this.waiting.size > 0
  }

  /**
   * Sends without waiting. How much of a row of commands runs before those of a client that the first of them unblocks
   * is a matter of time budgets: therefore rows are short while clients wait. A client that was closed comes back
   * under its old name.
   */
  async send(connection: number, steps: readonly Step[]): Promise<void> {
    const { protocols } = this.options
    for (let i = 0; i < CROWD_SIZE; i++)
      if (this.lines[i] === undefined || this.lines[i].ours.isClosed)
        this.lines[i] = await this.pair.line(`client ${i}`, protocols[i % protocols.length])
    const line = this.lines[connection]
    const first = steps.findIndex(({ words: [name] }) => WAITING.test(name))
    const isWaiting = this.waiting.has(line.name)
    const newBehind = isWaiting || first < 0 ? steps.length : steps.length - first - 1
    const behind = isWaiting ? (this.sentBehind.get(line.name) ?? 0) + newBehind : first < 0 ? 0 : newBehind
    if (behind > BEHIND_MAX) return
    this.sentBehind.set(line.name, behind)
    this.hasBroadcasts ||= steps.some(({ words }) => words.includes('BCAST'))
    const bytes = Buffer.concat(steps.map(({ words }) => encodeCommand(this.pair.resolved(words) as Word[])))
    line.ours.write(bytes)
    line.theirs.write(bytes)
  }

  async difference(keys: readonly string[] | undefined, unseen: readonly string[]): Promise<Found | undefined> {
    this.waiting = await this.pair.settle()
    return (await this.receivedDifference()) ?? (await this.pair.observe(keys, unseen))
  }

  private async receivedDifference(): Promise<Found | undefined> {
    const received = this.lines.map(() => ({ ours: [] as string[], theirs: [] as string[] }))
    for (const isLate of [false, true]) {
      if (isLate) {
        // What is still on its way is not a difference.
        await sleep(LATE_MS)
        await this.pair.settle()
      }
      this.lines.forEach((line, i) => {
        received[i].ours.push(...plain(line.ours.taken()))
        received[i].theirs.push(...plain(line.theirs.taken()))
      })
      const same = received.every(({ ours, theirs }) => this.isSame(ours, theirs))
      if (same && this.lines.every(({ ours, theirs }) => ours.isClosed === theirs.isClosed)) return undefined
    }
    for (const [i, { name, ours, theirs }] of this.lines.entries()) {
      const { ours: a, theirs: b } = received[i]
      if (this.isSame(a, b) && ours.isClosed === theirs.isClosed) continue
      const closed = (isClosed: boolean) => (isClosed ? ', closed' : '')
      const message = `${name} has received\n  ours:   ${quoted(a.join(''))}${closed(ours.isClosed)}\n  theirs: ${quoted(b.join(''))}${closed(theirs.isClosed)}`
      return { kind: 'received', message }
    }
    return undefined
  }

  /** Broadcasts come at the end of a turn of the event loop, and how many commands that is, is not the same. */
  private isSame(ours: readonly string[], theirs: readonly string[]): boolean {
    if (ours.join('') === theirs.join('')) return true
    return this.hasBroadcasts && withoutTurns(ours) === withoutTurns(theirs)
  }
}

const MONITORED = /^\+\d+\.\d+ \[(\d+) [^\]]*\]/
/** The observers' commands come at no fixed moment. */
const OBSERVERS = /^\+\[0\] "(?:PING|INFO|SLOWLOG|OBJECT|CLIENT" "LIST)"/

/** The frames, the lines of MONITOR without time and address. */
function plain(frames: readonly string[]): string[] {
  return frames.map(frame => frame.replace(MONITORED, '+[$1]')).filter(frame => !OBSERVERS.test(frame))
}

const INVALIDATION = />2\r\n\$10\r\ninvalidate\r\n\*(\d+)\r\n/
const KEY = /^\$\d+\r\n(.*?)\r\n/s

/** What was received, behind which each key that was invalidated is named once. */
function withoutTurns(frames: readonly string[]): string {
  const keys = new Set<string>()
  let left = ''
  // Also within a frame: the reply of an EXEC that mutes its client lacks elements, and what follows counts as them.
  for (let rest = frames.join(''); rest !== ''; ) {
    const found = INVALIDATION.exec(rest)
    left += rest.slice(0, found?.index)
    rest = found === null ? '' : rest.slice(found.index + found[0].length)
    for (let count = Number(found?.[1] ?? 0); count > 0; count--) {
      const [whole, key] = KEY.exec(rest) ?? ['', '']
      keys.add(key)
      rest = rest.slice(whole.length)
    }
  }
  return left + [...keys].sort().join(' ')
}

function quoted(received: string): string {
  return text(Buffer.from(received, 'latin1'))
}
