// Type inference: which locals are always numbers, so that arithmetic on them needs no checks.
//
// A local is a number when everything assigned to it is. All are assumed to be, and the assumption is withdrawn until
// a fixed point is reached.

import type { Expression, FunctionBody, LocalVariable, Statement } from './ast.ts'

export class Numbers {
  /** The expressions assigned to each local; undefined: unknown. */
  private readonly sources = new Map<LocalVariable, (Expression | undefined)[]>()
  private readonly numeric = new Set<LocalVariable>()

  constructor(main: FunctionBody) {
    this.visitFunction(main)
    for (const variable of this.sources.keys()) this.numeric.add(variable)
    let changed = true
    while (changed) {
      changed = false
      for (const variable of this.numeric) {
        if (this.sources.get(variable)!.every(e => e !== undefined && this.isNumber(e))) continue
        this.numeric.delete(variable)
        changed = true
      }
    }
  }

  isNumber(e: Expression): boolean {
    switch (e.type) {
      case 'number':
        return true
      case 'local':
        return this.numeric.has(e.variable)
      case 'paren':
        return this.isNumber(e.inner)
      case 'negate':
        return this.isNumber(e.operand)
      case 'binary':
        return '+-*/%^'.includes(e.operator) && this.isNumber(e.left) && this.isNumber(e.right)
      default:
        return false
    }
  }

  private assign(variable: LocalVariable, source: Expression | undefined): void {
    const list = this.sources.get(variable)
    if (list === undefined) this.sources.set(variable, [source])
    else list.push(source)
  }

  private visitFunction(body: FunctionBody): void {
    for (const parameter of body.parameters) this.assign(parameter, undefined)
    if (body.argTable !== undefined) this.assign(body.argTable, undefined)
    this.visitBlock(body.body)
  }

  private visitBlock(list: Statement[]): void {
    for (const statement of list) this.visit(statement)
  }

  private visit(s: Statement): void {
    switch (s.type) {
      case 'local':
        s.variables.forEach((variable, i) => {
          this.assign(variable, this.valueAt(s.values, i))
        })
        s.values.forEach(this.search)
        break
      case 'localfunction':
        this.assign(s.variable, undefined)
        this.visitFunction(s.body)
        break
      case 'assign':
        s.targets.forEach((target, i) => {
          if (target.type === 'local') this.assign(target.variable, this.valueAt(s.values, i))
          else this.search(target)
        })
        s.values.forEach(this.search)
        break
      case 'call':
        this.search(s.call)
        break
      case 'do':
        this.visitBlock(s.body)
        break
      case 'while':
      case 'repeat':
        this.search(s.condition)
        this.visitBlock(s.body)
        break
      case 'if':
        for (const clause of s.clauses) {
          if (clause.condition !== undefined) this.search(clause.condition)
          this.visitBlock(clause.body)
        }
        break
      case 'fornum':
        this.assign(s.variable, { type: 'number', value: 0 })
        for (const e of [s.start, s.limit, s.step]) if (e !== undefined) this.search(e)
        this.visitBlock(s.body)
        break
      case 'forin':
        for (const variable of s.variables) this.assign(variable, undefined)
        s.values.forEach(this.search)
        this.visitBlock(s.body)
        break
      case 'return':
        s.values.forEach(this.search)
        break
    }
  }

  private valueAt(values: Expression[], i: number): Expression | undefined {
    const e = values[i]
    return e === undefined || e.type === 'call' || e.type === 'method' || e.type === 'vararg' ? undefined : e
  }

  /** Finds the functions inside an expression. */
  private readonly search = (e: Expression): void => {
    switch (e.type) {
      case 'function':
        this.visitFunction(e.body)
        break
      case 'and':
      case 'or':
      case 'binary':
        this.search(e.left)
        this.search(e.right)
        break
      case 'not':
      case 'negate':
      case 'length':
        this.search(e.operand)
        break
      case 'paren':
        this.search(e.inner)
        break
      case 'index':
        this.search(e.object)
        this.search(e.key)
        break
      case 'call':
        this.search(e.callee)
        e.args.forEach(this.search)
        break
      case 'method':
        this.search(e.object)
        e.args.forEach(this.search)
        break
      case 'table':
        for (const item of e.items) {
          if (item.key !== undefined) this.search(item.key)
          this.search(item.value)
        }
        break
    }
  }
}
