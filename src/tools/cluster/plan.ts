// Plans: who gives which slots to whom. Nothing here talks to a server.
//
// Always: a move's slots are its source's, in order, and a slot moves once.

import { ToolError } from '../command-line.ts'

export const THRESHOLD_PERCENT = 2

/** What plans need of a primary. */
interface Holder {
  readonly name: string
  readonly slots: readonly number[]
}

export interface Move<Node = import('./members.ts').Primary> {
  readonly source: Node
  readonly target: Node
  readonly slots: readonly number[]
}

/** Every primary gets its share by weight; nothing when no share differs by more than `threshold` percent. */
export function rebalancePlan<Node extends Holder>(
  all: readonly Node[],
  weights: ReadonlyMap<Node, number>,
  withEmpty: boolean,
  threshold: number,
): Move<Node>[] {
  const part = all.filter(one => withEmpty || one.slots.length > 0 || (weights.get(one) ?? 0) > 0)
  const weight = part.map(one => weights.get(one) ?? 1)
  if (weight.every(one => one === 0)) throw new ToolError('At least one primary needs a weight above 0.')
  const total = part.reduce((sum, one) => sum + one.slots.length, 0)
  const wanted = shares(total, weight)
  const differs = part.some(({ slots }, i) => Math.abs(slots.length - wanted[i]) * 100 > threshold * wanted[i])
  return differs ? moves(part, wanted) : []
}

/** `count` slots go to one primary: from the others in proportion to what they have. */
export function reshardPlan<Node extends Holder>(sources: readonly Node[], count: number, to: Node): Move<Node>[] {
  const givers = sources.filter(one => one !== to)
  const available = givers.reduce((sum, one) => sum + one.slots.length, 0)
  if (count > available) throw new ToolError(`${count} slots are more than the ${available} that there are to give.`)
  const given = shares(
    count,
    givers.map(one => one.slots.length),
  )
  const wanted = givers.map((one, i) => one.slots.length - given[i])
  return moves([...givers, to], [...wanted, to.slots.length + count])
}

/** These slots go to one primary, whoever has them. */
export function rangePlan<Node extends Holder>(all: readonly Node[], slots: readonly number[], to: Node): Move<Node>[] {
  const chosen = new Set(slots)
  return all
    .filter(one => one !== to)
    .map(source => ({ source, target: to, slots: source.slots.filter(slot => chosen.has(slot)) }))
    .filter(move => move.slots.length > 0)
}

/** All slots of one primary go to the others, first to those with the fewest. */
export function drainPlan<Node extends Holder>(all: readonly Node[], node: Node, withEmpty: boolean): Move<Node>[] {
  const others = all.filter(one => one !== node && (withEmpty || one.slots.length > 0))
  if (others.length === 0) throw new ToolError(`There is no other primary to take the slots of ${node.name}.`)
  const wanted = others.map(one => one.slots.length)
  // The level to which the others are filled up: the poorest first.
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b)
  let left = node.slots.length
  for (let n = 1; left > 0; n++) {
    const ceiling = n < order.length ? wanted[order[n]] : Number.POSITIVE_INFINITY
    const level = Math.min(ceiling, wanted[order[0]] + Math.floor(left / n))
    for (let i = 0; i < n; i++) {
      left -= level - wanted[order[i]]
      wanted[order[i]] = level
    }
    // Fewer are left than there are primaries at this level.
    if (level < ceiling) for (let i = 0; left > 0; i++, left--) wanted[order[i]]++
  }
  return moves([node, ...others], [0, ...wanted])
}

/** `total` divided in proportion to the weights, in whole numbers that sum up to it. */
function shares(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0)
  const exact = weights.map(weight => (sum === 0 ? 0 : (total * weight) / sum))
  const whole = exact.map(Math.floor)
  const byRest = exact.map((_, i) => i).sort((a, b) => exact[b] - whole[b] - (exact[a] - whole[a]) || a - b)
  let left = sum === 0 ? 0 : total - whole.reduce((a, b) => a + b, 0)
  for (const i of byRest) if (left-- > 0) whole[i]++
  return whole
}

/** The moves after which each holder has as many slots as wanted. They give their last ones, so that runs stay long. */
function moves<Node extends Holder>(holders: readonly Node[], wanted: readonly number[]): Move<Node>[] {
  const result: Move<Node>[] = []
  const takers = holders
    .map((target, i) => ({ target, missing: wanted[i] - holders[i].slots.length }))
    .filter(({ missing }) => missing > 0)
  for (const [i, source] of holders.entries()) {
    let end = source.slots.length
    while (end > wanted[i]) {
      const taker = takers[0]
      const count = Math.min(end - wanted[i], taker.missing)
      result.push({ source, target: taker.target, slots: source.slots.slice(end - count, end) })
      end -= count
      taker.missing -= count
      if (taker.missing === 0) takers.shift()
    }
  }
  return result
}
