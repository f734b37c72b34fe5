// Hoisted functions: local functions that are only used in calls by name. Their closures cannot be told apart, so one
// LuaFunction per chunk is enough and calls go to it directly. Captured variables are passed with each call: wherever
// the function's name is visible, they are too.
//
//   local prefix = KEYS[1]
//   local function key(id) return prefix .. id end      K2=new LF(function(l1,l3){...})
//   key(7)                                              K2.js(l1,7)
//
// A hoisted function is non-suspending when it has no loops and calls only host functions and other non-suspending
// functions. It is emitted as a plain JavaScript function instead of a generator.
//
// Always: a chunk that could set metamethods or change environments has no hoisted functions.

import { type Expression, FunctionBody, LocalVariable, type Statement } from './ast.ts'

/** Deepest nesting of non-suspending calls, which do not check the native stack. */
const NON_SUSPENDING_DEPTH_MAX = 8
const MAY_SUSPEND = Number.POSITIVE_INFINITY

type Node = Statement | Expression

export class HoistedFunctions {
  private readonly mayHoist: boolean
  private readonly isHost: (e: Expression) => boolean
  private readonly captures = new Map<FunctionBody, ReadonlySet<LocalVariable>>()
  private readonly depths = new Map<LocalVariable, number>()

  /** `mayHoist`: false for chunks without hoisting. `isHost`: an expression is a non-suspending host function. */
  constructor(mayFix: boolean, isHost: (e: Expression) => boolean) {
    this.mayHoist = mayFix
    this.isHost = isHost
  }

  isHoisted({ initial, assigned, mentions, calls }: LocalVariable): boolean {
    return this.mayHoist && initial?.type === 'function' && !assigned && mentions === calls
  }

  /** The locals to be passed to a function: its own captures and those of the hoisted functions that it calls. */
  capturesOf(body: FunctionBody): ReadonlySet<LocalVariable> {
    const known = this.captures.get(body)
    if (known !== undefined) return known
    const captures = new Set<LocalVariable>()
    // Ends the recursion of recursive functions.
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

  /** The nesting depth of non-suspending calls in this function. */
  private depthOf(variable: LocalVariable): number {
    const known = this.depths.get(variable)
    if (known !== undefined) return known
    // A recursive function finds this entry: it is not non-suspending.
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

/** Visits the statements and expressions in `part`, not those of inner functions. */
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
