// Fixed functions: local functions that are only ever called by name. Nobody can tell one making of such a function
// from the next, so that there is one for the chunk, and calls go to it directly. What it captures it is handed with
// each call: whoever can name the function can see that as well.
//
//   local prefix = KEYS[1]
//   local function key(id) return prefix .. id end      K2=new LF(function(l1,l3){...})
//   key(7)                                              K2.js(l1,7)
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
  private readonly mayFix: boolean
  private readonly isHost: (e: Expression) => boolean
  private readonly held = new Map<FunctionBody, ReadonlySet<LocalVariable>>()
  private readonly depths = new Map<LocalVariable, number>()

  /** `mayFix`: false, and nothing is fixed. `isHost`: whether an expression is a host function that never suspends. */
  constructor(mayFix: boolean, isHost: (e: Expression) => boolean) {
    this.mayFix = mayFix
    this.isHost = isHost
  }

  isFixed({ initial, assigned, mentions, calls }: LocalVariable): boolean {
    return this.mayFix && initial?.type === 'function' && !assigned && mentions === calls
  }

  /** The locals that a function has to be handed, for itself and for the fixed functions that it calls. */
  heldBy(body: FunctionBody): ReadonlySet<LocalVariable> {
    const known = this.held.get(body)
    if (known !== undefined) return known
    const held = new Set<LocalVariable>()
    // A function that calls itself comes upon this.
    this.held.set(body, held)
    for (const variable of body.upvalues) {
      if (this.isHost({ type: 'local', variable, isUpvalue: true })) continue
      if (variable.initial?.type !== 'function' || !this.isFixed(variable)) held.add(variable)
      else for (const one of this.heldBy(variable.initial.body)) held.add(one)
    }
    return held
  }

  isStraight(variable: LocalVariable): boolean {
    return this.depthOf(variable) <= STRAIGHT_DEPTH_MAX
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
