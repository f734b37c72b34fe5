// An epoch: some thousand commands on empty servers over new connections, from one seed. It is independent of other
// epochs, so that a difference is reproduced from the seed and minimized by leaving out commands.
//
//   seed ─▶ makeEpoch ─▶ Step[] ─▶ play.ts ─▶ the first difference, if any

import { mayBeInside, sideBySide, type Way, withAdjacentWords } from './adjacent.ts'
import { flatten, Gen } from './gen.ts'
import type { CommandGrammar } from './grammar/grammar.ts'
import type { StateOptions } from './state.ts'
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

/** The longest row of commands on one connection. */
export const BATCH_MAX = 120
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
export function made(g: Gen, command: CommandGrammar, connection: number, adjacent: boolean): Step[] {
  const name = command.name.split(' ')
  let words = [...name, ...flatten(command.args(g))]
  if (!command.delicate) {
    if (adjacent) words = [...name, ...withAdjacentWords(g, words).slice(name.length)]
    if (g.chance(BROKEN_SHARE)) words = g.broken(words)
  }
  if (g.chance(0.02)) words[0] = words[0].toLowerCase()
  const behind = command.followUp?.(words) ?? []
  return [
    { connection, words, comparison: command.reply ?? (isSortInNoOrder(words) ? 'unordered' : 'exact') },
    ...behind.map((more): Step => ({ connection, words: more, comparison: 'exact' })),
  ]
}

/** SORT by a constant: the elements of a set come as they lie in its table. */
function isSortInNoOrder(words: readonly string[]): boolean {
  const by = words.findIndex(word => word.toUpperCase() === 'BY')
  return words[0].toUpperCase() === 'SORT' && by > 1 && !words[by + 1]?.includes('*')
}

/** Draws commands by their weights. */
export class Chooser {
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
