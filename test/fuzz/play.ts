// Plays the steps of an epoch on both servers, each command's reply awaited.

import { encodeCommand, type Word } from '../harness/resp.ts'
import { type Asked, sameReplies } from './compare.ts'
import { type FuzzConnection, ServerFailure } from './connection.ts'
import { BATCH_MAX, type EpochOptions } from './epoch.ts'
import type { Difference, Found, Line, Pair } from './pair.ts'
import { stateDifference, text } from './state.ts'
import { keysIn, quoted, type Step } from './step.ts'

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

interface OpenLine extends Line {
  transaction: Transaction
}

/** Plays the batch that begins at step `from`; `to` is the step behind it. */
type PlayOne = (from: number) => Promise<{ to: number; found: Found | Difference | undefined }>

/**
 * The first difference in a batch or, at the end, in the data. A server that ends or does not reply is one as well.
 * `open` is called on empty servers; a batch has at most `batchMax` steps.
 */
export async function playBatches(
  pair: Pair,
  steps: readonly Step[],
  options: EpochOptions,
  batchMax: number,
  open: () => Promise<PlayOne>,
): Promise<Difference | undefined> {
  let stepsPlayed = 0
  try {
    await pair.begin(options.ways.includes('FCALL'))
    const play = await open()
    while (stepsPlayed < steps.length) {
      const { to, found } = await play(stepsPlayed)
      stepsPlayed = to
      if (found) return { stepsPlayed, ...found }
    }
    const found = await endDifference(pair, options)
    return found && { ...found, stepsPlayed }
  } catch (error) {
    if (!(error instanceof ServerFailure)) throw error
    pair.kill()
    return { stepsPlayed: Math.min(steps.length, stepsPlayed + batchMax), kind: 'server', message: error.message }
  } finally {
    pair.closeLines()
  }
}

/** The first difference in a reply, beside the replies or, at the end, in the data. */
export function playEpoch(pair: Pair, steps: readonly Step[], options: EpochOptions): Promise<Difference | undefined> {
  return playBatches(pair, steps, options, BATCH_MAX, async () => {
    const lines: OpenLine[] = []
    for (let i = 0; i < options.connectionCount; i++) {
      const protocol = options.protocols[i % options.protocols.length]
      lines.push({ ...(await pair.line(`client ${i}`, protocol)), transaction: new Transaction(options.lax) })
    }
    return async from => {
      let to = from
      while (to < steps.length && to - from < BATCH_MAX && steps[to].connection === steps[from].connection) {
        // Broadcasts come at the end of a turn of the event loop: here for both.
        if (to > from && (endsTurn(steps[to]) || endsTurn(steps[to - 1]))) break
        to++
      }
      const batch = steps.slice(from, to)
      const found =
        (await playBatch(pair, lines[batch[0].connection], batch, from)) ??
        (await pair.observe(keysIn(batch))) ??
        pushDifference(lines, pair.isObserved)
      return { to, found }
    }
  })
}

function endsTurn({ words: [name, verb] }: Step): boolean {
  return name.toUpperCase() === 'CLIENT' && verb === 'TRACKING'
}

/** Takes the pushes, and compares them where observers have waited for both servers to have sent theirs. */
function pushDifference(lines: readonly Line[], areComplete: boolean): Found | undefined {
  for (const { name, ours, theirs } of lines) {
    const [a, b] = [ours.takenPushes(), theirs.takenPushes()]
    // Broadcasts come at the end of a turn of the event loop: how many commands that is, is not the same.
    if (!areComplete || a.join('\n') === b.join('\n') || keysOf(a) === keysOf(b)) continue
    return { kind: 'pushes', message: `pushes to ${name}\n  ours:   ${shown(a)}\n  theirs: ${shown(b)}` }
  }
  return undefined
}

/** The words of all pushes, each once. */
function keysOf(pushes: readonly string[]): string {
  const words = pushes.flatMap(push => push.replace(/^after \d+ replies: /, '').split('\r\n'))
  return [...new Set(words.filter(word => !/^[*>$]\d+$/.test(word)))].sort().join('\n')
}

function shown(pushes: readonly string[]): string {
  return text(Buffer.from(pushes.join(' '), 'latin1'))
}

/** Compares the data, and whether an exception came that no reply showed. */
async function endDifference(pair: Pair, options: EpochOptions): Promise<Found | undefined> {
  const last = await pair.line('', 2)
  const found = await stateDifference(last.ours, last.theirs, options.state)
  if (found) return { kind: found.kind, message: `afterwards, ${found.message}` }
  if (!(await hadExceptions(last.ours))) return undefined
  // Resets the count of exceptions, so that the next steps are judged alone.
  pair.kill()
  return { kind: INTERNAL, message: 'an exception was answered that no reply showed' }
}

async function playBatch(
  pair: Pair,
  line: OpenLine,
  batch: readonly Step[],
  stepsBefore: number,
): Promise<Difference | undefined> {
  const bytes = Buffer.concat(batch.map(step => encodeCommand(pair.resolved(step.words) as Word[])))
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
