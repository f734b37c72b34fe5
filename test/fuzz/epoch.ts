// An epoch: some thousand commands on empty servers over new connections, from one seed. It is independent of other
// epochs, so that a difference is reproduced from the seed and minimized by leaving out commands.
//
//   seed ─▶ makeEpoch ─▶ Step[] ─▶ playEpoch ─▶ the first difference, if any

import { show } from '../harness/expect.ts'
import { encodeCommand, type Word } from '../harness/resp.ts'
import { LIBRARY, mayBeInside, sideBySide, type Way, withAdjacentWords } from './adjacent.ts'
import { type Asked, sameReplies } from './compare.ts'
import { flatten, Gen } from './gen.ts'
import type { CommandGrammar } from './grammar/grammar.ts'
import { type FuzzConnection, type FuzzServer, ServerFailure } from './servers.ts'
import { type StateOptions, stateDifference, text } from './state.ts'
import type { Step } from './step.ts'

export interface EpochOptions {
  connectionCount: number
  commandCount: number
  /** The protocol of connection i is protocols[i % length]. */
  protocols: readonly (2 | 3)[]
  state: StateOptions
  /** See Asked.lax. */
  lax: boolean
  /** The share in transactions, scripts and functions with adjacent arguments, and the ways to be used. */
  adjacent: number
  ways: readonly Way[]
}

export interface Difference {
  /** How many steps were played before it was found. */
  stepsPlayed: number
  /** The command with different replies, or the part of the data that differs at the end. */
  kind: string
  message: string
}

const BATCH_MAX = 120
const BROKEN_SHARE = 0.04

export function makeEpoch(commands: readonly CommandGrammar[], seed: number, options: EpochOptions): Step[] {
  const g = new Gen(seed)
  const any = new Chooser(g, commands)
  const inside = new Chooser(
    g,
    commands.filter(command => mayBeInside(command, options.lax)),
  )
  const steps: Step[] = []
  while (steps.length < options.commandCount) {
    const connection = g.number(0, options.connectionCount - 1)
    for (let left = g.number(1, g.chance(0.3) ? BATCH_MAX : 12); left > 0; left--) {
      if (inside.isEmpty || !g.chance(options.adjacent)) steps.push(...made(g, any.next(), connection, false))
      else steps.push(...sideBySide(g, connection, options.ways, () => made(g, inside.next(), connection, true)))
    }
  }
  return steps
}

/** One command and its follow-ups. */
function made(g: Gen, command: CommandGrammar, connection: number, adjacent: boolean): Step[] {
  const name = command.name.split(' ')
  let words = [...name, ...flatten(command.args(g))]
  if (!command.delicate) {
    if (adjacent) words = [...name, ...withAdjacentWords(g, words).slice(name.length)]
    if (g.chance(BROKEN_SHARE)) words = g.broken(words)
  }
  if (g.chance(0.02)) words[0] = words[0].toLowerCase()
  const behind = command.followUp?.(words) ?? []
  return [
    { connection, words, comparison: command.reply ?? 'exact' },
    ...behind.map((more): Step => ({ connection, words: more, comparison: 'exact' })),
  ]
}

/** Draws commands by their weights. */
class Chooser {
  private readonly g: Gen
  private readonly commands: readonly CommandGrammar[]
  private readonly weightTotal: number

  constructor(g: Gen, commands: readonly CommandGrammar[]) {
    this.g = g
    this.commands = commands
    this.weightTotal = commands.reduce((sum, { weight }) => sum + (weight ?? 1), 0)
  }

  get isEmpty(): boolean {
    return this.commands.length === 0
  }

  next(): CommandGrammar {
    let point = (this.g.number(0, 999_999) / 1e6) * this.weightTotal
    return this.commands.find(({ weight }) => (point -= weight ?? 1) < 0) ?? this.commands[0]
  }
}

/** The open transaction of a connection: the replies inside EXEC are compared by the queued commands. */
class Transaction {
  private queued: Asked[] | undefined
  private readonly lax: boolean

  constructor(lax: boolean) {
    this.lax = lax
  }

  /** How to compare the reply to this step. */
  next(step: Step): Asked {
    const { lax } = this
    const name = step.words[0].toUpperCase()
    if (name === 'EXEC' && this.queued) {
      const asked: Asked = { comparison: 'exact', queued: this.queued, lax }
      this.queued = undefined
      return asked
    }
    if (name === 'DISCARD') this.queued = undefined
    return this.queued ? { comparison: 'exact', lax } : askedOf(step, lax)
  }

  /** Updates the state by the step's reply. */
  answered(step: Step, reply: Uint8Array): void {
    const name = step.words[0].toUpperCase()
    if (name === 'MULTI' && reply[0] === 0x2b && !this.queued) this.queued = []
    else if (this.queued && reply[0] === 0x2b && reply[1] === 0x51) {
      this.queued.push(askedOf(step, this.lax))
    }
  }
}

function askedOf({ comparison, inside }: Step, lax: boolean): Asked {
  return { comparison, queued: inside?.map(one => ({ comparison: one, lax })), lax }
}

/** Plays the steps on both servers; the first difference in a reply or, at the end, in the data. */
export async function playEpoch(
  ours: FuzzServer,
  theirs: FuzzServer,
  steps: readonly Step[],
  options: EpochOptions,
): Promise<Difference | undefined> {
  const played = { steps: 0 }
  const open: FuzzConnection[] = []
  try {
    const lines = await openLines(ours, theirs, options, open)
    for (let from = 0; from < steps.length; ) {
      let to = from
      while (to < steps.length && to - from < BATCH_MAX && steps[to].connection === steps[from].connection) to++
      const batch = steps.slice(from, to)
      const difference = await playBatch(lines[batch[0].connection], batch, from)
      played.steps = to
      if (difference) return difference
      from = to
    }
    const last = await openLines(ours, theirs, { ...options, connectionCount: 1, protocols: [2] }, open, false)
    const found = await stateDifference(last[0].ours, last[0].theirs, options.state)
    if (!found && (await hadExceptions(last[0].ours))) {
      // Resets the count of exceptions, so that the next steps are judged alone.
      ours.kill()
      return { stepsPlayed: steps.length, kind: INTERNAL, message: 'an exception was answered that no reply showed' }
    }
    if (!found) return undefined
    return { stepsPlayed: steps.length, kind: found.kind, message: `afterwards, ${found.message}` }
  } catch (error) {
    if (!(error instanceof ServerFailure)) throw error
    ours.kill()
    return { stepsPlayed: Math.min(steps.length, played.steps + BATCH_MAX), kind: 'server', message: error.message }
  } finally {
    for (const connection of open) connection.close()
  }
}

interface Line {
  ours: FuzzConnection
  theirs: FuzzConnection
  transaction: Transaction
}

async function openLines(
  ours: FuzzServer,
  theirs: FuzzServer,
  options: EpochOptions,
  open: FuzzConnection[],
  flush = true,
): Promise<Line[]> {
  const lines: Line[] = []
  for (let i = 0; i < options.connectionCount; i++) {
    const pair: FuzzConnection[] = []
    for (const server of [ours, theirs]) {
      const connection = await server.connect()
      open.push(connection)
      pair.push(connection)
      if (i === 0 && flush) await prepare(server, connection, options)
      if (options.protocols[i % options.protocols.length] === 3) await connection.call('HELLO', '3')
    }
    lines.push({ ours: pair[0], theirs: pair[1], transaction: new Transaction(options.lax) })
  }
  return lines
}

async function prepare(server: FuzzServer, connection: FuzzConnection, { ways }: EpochOptions): Promise<void> {
  const flushed = await connection.call('FLUSHALL')
  if (flushed !== 'OK') throw new Error(`FLUSHALL on ${server.label}: ${show(flushed)}`)
  if (!ways.includes('FCALL')) return
  const loaded = await connection.call('FUNCTION', 'LOAD', 'REPLACE', LIBRARY)
  if (loaded !== 'adjacent') throw new Error(`FUNCTION LOAD on ${server.label}: ${show(loaded)}`)
}

async function playBatch(line: Line, batch: readonly Step[], stepsBefore: number): Promise<Difference | undefined> {
  const bytes = Buffer.concat(batch.map(step => encodeCommand(step.words as Word[])))
  const [ours, theirs] = await Promise.all([
    line.ours.exchange(bytes, batch.length),
    line.theirs.exchange(bytes, batch.length),
  ])
  for (let i = 0; i < batch.length; i++) {
    const asked = line.transaction.next(batch[i])
    // Also where replies are compared loosely, and within those of EXEC and scripts.
    if (isInternalError(ours[i])) return unexpected(batch[i], ours[i], stepsBefore + i + 1)
    if (!sameReplies(ours[i], theirs[i], asked)) {
      const message = `${quoted(batch[i].words)}\n  ours:   ${text(ours[i])}\n  theirs: ${text(theirs[i])}`
      return { stepsPlayed: stepsBefore + i + 1, kind: batch[i].words[0].toUpperCase(), message }
    }
    line.transaction.answered(batch[i], theirs[i])
  }
  return undefined
}

const INTERNAL = 'internal error'

function isInternalError(reply: Uint8Array): boolean {
  return Buffer.from(reply.buffer, reply.byteOffset, reply.length).includes('ERR internal error')
}

function unexpected(step: Step, reply: Uint8Array, stepsPlayed: number): Difference {
  return { stepsPlayed, kind: INTERNAL, message: `${quoted(step.words)}\n  ours:   ${text(reply)}` }
}

/** INFO counts exceptions that no reply shows: in a script that continues, or with CLIENT REPLY OFF. */
async function hadExceptions(ours: FuzzConnection): Promise<boolean> {
  const stats = String(await ours.call('INFO', 'stats'))
  const count = /^unexpected_errors:(\d+)/m.exec(stats)?.[1]
  return count !== undefined && count !== '0'
}

/** A command in redis-cli's syntax. */
export function quoted(words: readonly string[]): string {
  return words.map(word => (/^[\w!#-&(-/:-@[\]^{-}~]+$/.test(word) ? word : `"${escaped(word)}"`)).join(' ')
}

function escaped(word: string): string {
  return word.replace(/["\\]|[^ -~]/g, c =>
    c === '"' || c === '\\' ? `\\${c}` : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
