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
const NON_SUSPENDING_DEPTH_MAX = 8
const MAY_SUSPEND = Number.POSITIVE_INFINITY

type Node = Statement | Expression

export class HoistedFunctions {
  private readonly mayHoist: boolean
  private readonly isHost: (e: Expression) => boolean
  private readonly captures = new Map<FunctionBody, ReadonlySet<LocalVariable>>()
  private readonly depths = new Map<LocalVariable, number>()

  /** `mayFix`: false, and nothing is fixed. `isHost`: whether an expression is a host function that never suspends. */
  constructor(mayFix: boolean, isHost: (e: Expression) => boolean) {
    this.mayHoist = mayFix
    this.isHost = isHost
  }

  isHoisted({ initial, assigned, mentions, calls }: LocalVariable): boolean {
    return this.mayHoist && initial?.type === 'function' && !assigned && mentions === calls
  }

  /** The locals that a function has to be handed, for itself and for the fixed functions that it calls. */
  capturesOf(body: FunctionBody): ReadonlySet<LocalVariable> {
    const known = this.captures.get(body)
    if (known !== undefined) return known
    const captures = new Set<LocalVariable>()
    // A function that calls itself comes upon this.
    this.captures.set(body, captures)
    for (const variable of body.upvalues) {
      if (this.isHost({ type: 'local', variable, isUpvalue: true })) continue
      if (variable.initial?.type !== 'function' || !this.isHoisted(variable)) captures.add(variable)
      else for (const one of this.capturesOf(variable.initial.body)) captures.add(one)
    }
    return captures
  }

  isNonSuspending(variable: LocalVariable): boolean {
    return this.depthOf(variable) <= NON_SUSPENDING_DEPTH_MAX
  }

  /** How deep straight functions are nested in a call of this one. */
  private depthOf(variable: LocalVariable): number {
    const known = this.depths.get(variable)
    if (known !== undefined) return known
    // A function that calls itself comes upon this.
    this.depths.set(variable, MAY_SUSPEND)
    if (!this.isHoisted(variable) || variable.initial?.type !== 'function') return MAY_SUSPEND
    let depth = 1
    visit(variable.initial.body.body, node => {
      if (node.type === 'call' && 'callee' in node) depth = Math.max(depth, this.depthOfCall(node.callee) + 1)
      else if (node.type === 'method' || LOOPS.has(node.type)) depth = MAY_SUSPEND
    })
    this.depths.set(variable, depth)
    return depth
  }

  private depthOfCall(callee: Expression): number {
    if (this.isHost(callee)) return 0
    return callee.type === 'local' ? this.depthOf(callee.variable) : MAY_SUSPEND
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
