// Scopes: resolves names to locals during parsing, with Lua's limits on locals and upvalues.
//
// Always: `declare` makes a local, `activate` makes it visible later, as `local x = x` needs.

import { type Expression, type FunctionBody, LocalVariable } from './ast.ts'
import type { Lexer } from './lexer.ts'

const LOCALS_MAX = 200
const UPVALUES_MAX = 60
/** An operand of an instruction can index only this many constants. */
const NEAR_CONSTANTS_MAX = 256

interface FunctionScope {
  body: FunctionBody
  /** Visible, innermost last. */
  active: LocalVariable[]
  declared: LocalVariable[]
  blocks: { activeCount: number; isLoop: boolean }[]
  /** Strings and numbers, in the order of first use. */
  constants: Map<string | number, number>
}

export class Scopes {
  private readonly lexer: Lexer
  private readonly functions: FunctionScope[] = []
  private serial = 0

  constructor(lexer: Lexer) {
    this.lexer = lexer
  }

  get current(): FunctionBody {
    return this.top.body
  }

  private get top(): FunctionScope {
    return this.functions[this.functions.length - 1]
  }

  openFunction(body: FunctionBody): void {
    this.functions.push({ body, active: [], declared: [], blocks: [], constants: new Map() })
  }

  closeFunction(): void {
    this.functions.pop()
  }

  openBlock(isLoop: boolean): void {
    this.top.blocks.push({ activeCount: this.top.active.length, isLoop })
  }

  closeBlock(): void {
    this.top.active.length = this.top.blocks.pop()!.activeCount
  }

  /** The function's visible locals, without those that Lua hides. */
  visible(): LocalVariable[] {
    return this.top.active.filter(({ name }) => !name.startsWith('('))
  }

  insideLoop(): boolean {
    return this.top.blocks.some(block => block.isLoop)
  }

  declare(name: string): LocalVariable {
    const { active, declared, body } = this.top
    const variable = new LocalVariable(++this.serial, name, body)
    declared.push(variable)
    if (active.length + declared.length > LOCALS_MAX) this.failLimit(LOCALS_MAX, 'local variables')
    return variable
  }

  activate(count: number): void {
    this.top.active.push(...this.top.declared.splice(0, count))
  }

  /** Counts a constant of the function. */
  mention(constant: string | number): void {
    const { constants } = this.top
    if (!constants.has(constant)) constants.set(constant, constants.size)
  }

  isFar(constant: string): boolean {
    const { constants } = this.top
    return constants.size > NEAR_CONSTANTS_MAX && constants.get(constant)! >= NEAR_CONSTANTS_MAX
  }

  /** Resolves a name. Marks locals of outer functions as captured. */
  resolve(name: string): Expression {
    for (let depth = this.functions.length - 1; depth >= 0; depth--) {
      const variable = this.functions[depth].active.findLast(local => local.name === name)
      if (variable === undefined) continue
      variable.mentions++
      const isUpvalue = depth < this.functions.length - 1
      if (isUpvalue) this.capture(variable, depth)
      return { type: 'local', variable, isUpvalue }
    }
    this.mention(name)
    this.functions[0].body.globalNames.add(name)
    return { type: 'global', name, line: 0 }
  }

  private capture(variable: LocalVariable, ownerDepth: number): void {
    variable.captured = true
    for (let depth = ownerDepth + 1; depth < this.functions.length; depth++) {
      const { body } = this.functions[depth]
      body.upvalues.add(variable)
      if (body.upvalues.size > UPVALUES_MAX) this.failLimit(UPVALUES_MAX, 'upvalues', body)
    }
  }

  failLimit(limit: number, what: string, body: FunctionBody = this.current): never {
    const who = body.line === 0 ? 'main function' : `function at line ${body.line}`
    this.lexer.failNear(`${who} has more than ${limit} ${what}`)
  }
}
