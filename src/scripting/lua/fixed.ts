// Fixed functions: local functions that are only ever called by name, and hold on to nothing. Nobody can tell one making of
// such a function from the next, so that there is one for the chunk, and calls go to it directly.
//
//   local function key(id) return prefix .. id end      not fixed: it holds on to prefix
//   local function get(k) return redis.call('GET', k) end      fixed, and straight
//
// A fixed function is straight when all it does ends soon: no loops, and calls of host functions and of other straight
// functions only. Then it can be a plain JavaScript function, for it need not be suspended in its middle.
//
// Always: in a chunk that could make metamethods or change environments nothing is fixed.

import { type Expression, FunctionBody, LocalVariable, type Statement } from './ast.ts'

/** Straight functions call each other no deeper than this, because nobody watches the native stack meanwhile. */
const STRAIGHT_DEPTH_MAX = 8
const NOT_STRAIGHT = Number.POSITIVE_INFINITY

type Node = Statement | Expression

export class FixedFunctions {
  private readonly isHost: (e: Expression) => boolean
  private readonly fixed = new Map<LocalVariable, boolean>()
  private readonly depths = new Map<LocalVariable, number>()

  /** `isHost`: whether an expression is a host function that never suspends. */
  constructor(isHost: (e: Expression) => boolean) {
    this.isHost = isHost
  }

  isFixed(variable: LocalVariable): boolean {
    let is = this.fixed.get(variable)
    if (is === undefined) this.fixed.set(variable, (is = this.holdsNothing(variable)))
    return is
  }

  isStraight(variable: LocalVariable): boolean {
    return this.depthOf(variable) <= STRAIGHT_DEPTH_MAX
  }

  private holdsNothing(variable: LocalVariable): boolean {
    const { initial, assigned, mentions, calls } = variable
    if (initial?.type !== 'function' || assigned || mentions !== calls) return false
    for (const held of initial.body.upvalues) {
      if (held === variable || this.isFixed(held)) continue
      if (!this.isHost({ type: 'local', variable: held, isUpvalue: true })) return false
    }
    return true
  }

  /** How deep straight functions are nested in a call of this one. */
  private depthOf(variable: LocalVariable): number {
    const known = this.depths.get(variable)
    if (known !== undefined) return known
    // A function that calls itself comes upon this.
    this.depths.set(variable, NOT_STRAIGHT)
    if (!this.isFixed(variable) || variable.initial?.type !== 'function') return NOT_STRAIGHT
    let depth = 1
    visit(variable.initial.body.body, node => {
      if (node.type === 'call' && 'callee' in node) depth = Math.max(depth, this.depthOfCall(node.callee) + 1)
      else if (node.type === 'method' || LOOPS.has(node.type)) depth = NOT_STRAIGHT
    })
    this.depths.set(variable, depth)
    return depth
  }

  private depthOfCall(callee: Expression): number {
    if (this.isHost(callee)) return 0
    return callee.type === 'local' ? this.depthOf(callee.variable) : NOT_STRAIGHT
  }
}

const LOOPS: ReadonlySet<string> = new Set(['while', 'repeat', 'fornum', 'forin'])

/** Every statement and expression in `part`, those of functions inside it aside. */
function visit(part: unknown, found: (node: Node) => void): void {
  if (Array.isArray(part)) for (const one of part) visit(one, found)
  else if (
    typeof part === 'object' &&
    part !== null &&
    !(part instanceof LocalVariable || part instanceof FunctionBody)
  ) {
    if ('type' in part) found(part as Node)
    for (const one of Object.values(part)) visit(one, found)
  }
}
