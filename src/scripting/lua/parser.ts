// Parser: Lua 5.1 source to a syntax tree, with Lua's own limits, error texts and line numbers.
//
// Always: `settle(e)` is called wherever Lua would turn the expression into an instruction; that moment's `lastLine`
// is the line an error in it reports.

import type {
  BinaryOperator,
  CallExpression,
  Expression,
  FunctionBody,
  MethodExpression,
  Statement,
  TableExpression,
  Target,
} from './ast.ts'
import { isOpen, FunctionBody as NewFunctionBody } from './ast.ts'
import { foldBinary, numberConstant } from './fold.ts'
import { END_OF_SOURCE, Lexer, NAME, NUMBER, STRING } from './lexer.ts'
import { Scopes } from './scopes.ts'

const LEVELS_MAX = 200
/** Lua has 250 registers for a call. */
const ARGUMENTS_MAX = 248
const UNARY_PRIORITY = 8

/** Left and right binding power. */
const PRIORITY: Record<string, [number, number] | undefined> = Object.assign(Object.create(null), {
  '+': [6, 6],
  '-': [6, 6],
  '*': [7, 7],
  '/': [7, 7],
  '%': [7, 7],
  '^': [10, 9],
  '..': [5, 4],
  '~=': [3, 3],
  '==': [3, 3],
  '<': [3, 3],
  '<=': [3, 3],
  '>': [3, 3],
  '>=': [3, 3],
  and: [2, 2],
  or: [1, 1],
})

/** Parses a whole chunk; throws LuaError with Lua's message. `outerLevels`: nested C calls around the compiler. */
export function parse(source: string, chunkName: string, outerLevels: number): FunctionBody {
  return new Parser(new Lexer(source, chunkName), outerLevels).chunk()
}

class Parser {
  private readonly lexer: Lexer
  private readonly scopes: Scopes
  private levels: number

  constructor(lexer: Lexer, outerLevels: number) {
    this.lexer = lexer
    this.scopes = new Scopes(lexer)
    this.levels = outerLevels
  }

  chunk(): FunctionBody {
    const main = new NewFunctionBody(undefined, 0)
    main.isVararg = true
    this.scopes.openFunction(main)
    this.lexer.next()
    main.body = this.statements()
    this.expectNow(END_OF_SOURCE)
    this.scopes.closeFunction()
    return main
  }

  // Tokens.

  private accept(kind: string): boolean {
    if (this.lexer.kind !== kind) return false
    this.lexer.next()
    return true
  }

  private isNow(kind: string): boolean {
    return this.lexer.kind === kind
  }

  private expectNow(kind: string): void {
    if (this.lexer.kind !== kind) this.lexer.fail(`'${kind}' expected`)
  }

  private expect(kind: string): void {
    this.expectNow(kind)
    this.lexer.next()
  }

  /** The token that closes what `opener` opened at `line`. */
  private close(kind: string, opener: string, line: number): void {
    if (this.accept(kind)) return
    if (line === this.lexer.line) this.lexer.fail(`'${kind}' expected`)
    this.lexer.fail(`'${kind}' expected (to close '${opener}' at line ${line})`)
  }

  private name(): string {
    this.expectNow(NAME)
    const name = this.lexer.text
    this.lexer.next()
    return name
  }

  private enterLevel(): void {
    if (++this.levels > LEVELS_MAX) this.lexer.failNear('chunk has too many syntax levels')
  }

  private settle(e: Expression): Expression {
    const inner = e.type === 'paren' ? e.inner : e
    if ((inner.type === 'index' || inner.type === 'global') && inner.line === 0) inner.line = this.lexer.lastLine
    return e
  }

  // Statements.

  private statements(): Statement[] {
    const list: Statement[] = []
    this.enterLevel()
    let isLast = false
    while (!isLast && !this.blockEnds()) {
      const statement = this.statement()
      list.push(statement)
      isLast = statement.type === 'return' || statement.type === 'break'
      this.accept(';')
    }
    this.levels--
    return list
  }

  private blockEnds(): boolean {
    const kind = this.lexer.kind
    return kind === 'end' || kind === 'else' || kind === 'elseif' || kind === 'until' || kind === END_OF_SOURCE
  }

  private block(isLoop = false): Statement[] {
    this.scopes.openBlock(isLoop)
    const list = this.statements()
    this.scopes.closeBlock()
    return list
  }

  private statement(): Statement {
    const line = this.lexer.line
    switch (this.lexer.kind) {
      case 'if':
        return this.ifStatement(line)
      case 'while':
        return this.whileStatement(line)
      case 'do': {
        this.lexer.next()
        const body = this.block()
        this.close('end', 'do', line)
        return { type: 'do', body }
      }
      case 'for':
        return this.forStatement(line)
      case 'repeat':
        return this.repeatStatement(line)
      case 'function':
        return this.functionStatement(line)
      case 'local':
        this.lexer.next()
        return this.accept('function') ? this.localFunction() : this.localStatement()
      case 'return':
        return this.returnStatement()
      case 'break':
        this.lexer.next()
        if (!this.scopes.insideLoop()) this.lexer.fail('no loop to break')
        return { type: 'break' }
      default:
        return this.expressionStatement()
    }
  }

  private ifStatement(line: number): Statement {
    const clauses: { condition: Expression | undefined; body: Statement[] }[] = []
    do {
      this.lexer.next()
      const condition = this.settle(this.expression())
      this.expect('then')
      clauses.push({ condition, body: this.block() })
    } while (this.lexer.kind === 'elseif')
    if (this.accept('else')) clauses.push({ condition: undefined, body: this.block() })
    this.close('end', 'if', line)
    return { type: 'if', clauses }
  }

  private whileStatement(line: number): Statement {
    this.lexer.next()
    const condition = this.settle(this.expression())
    this.scopes.openBlock(true)
    this.expect('do')
    const body = this.block()
    this.close('end', 'while', line)
    this.scopes.closeBlock()
    return { type: 'while', condition, body, line }
  }

  private repeatStatement(line: number): Statement {
    this.scopes.openBlock(true)
    this.scopes.openBlock(false)
    this.lexer.next()
    const body = this.statements()
    this.close('until', 'repeat', line)
    const condition = this.settle(this.expression())
    this.scopes.closeBlock()
    this.scopes.closeBlock()
    return { type: 'repeat', condition, body, line }
  }

  private forStatement(line: number): Statement {
    this.scopes.openBlock(true)
    this.lexer.next()
    const firstName = this.name()
    let statement: Statement
    if (this.lexer.kind === '=') statement = this.forNumber(firstName)
    else if (this.lexer.kind === ',' || this.lexer.kind === 'in') statement = this.forIn(firstName)
    else this.lexer.fail("'=' or 'in' expected")
    this.close('end', 'for', line)
    this.scopes.closeBlock()
    return statement
  }

  private forNumber(name: string): Statement {
    for (const hidden of ['(for index)', '(for limit)', '(for step)']) this.scopes.declare(hidden)
    const variable = this.scopes.declare(name)
    this.lexer.next()
    const start = this.settle(this.expression())
    this.expect(',')
    const limit = this.settle(this.expression())
    const step = this.accept(',') ? this.settle(this.expression()) : undefined
    this.scopes.activate(3)
    this.expect('do')
    const line = this.lexer.lastLine
    this.scopes.openBlock(false)
    this.scopes.activate(1)
    const body = this.block()
    this.scopes.closeBlock()
    return { type: 'fornum', variable, start, limit, step, body, line }
  }

  private forIn(firstName: string): Statement {
    for (const hidden of ['(for generator)', '(for state)', '(for control)']) this.scopes.declare(hidden)
    const variables = [this.scopes.declare(firstName)]
    while (this.accept(',')) variables.push(this.scopes.declare(this.name()))
    this.expect('in')
    const line = this.lexer.line
    const values = this.expressionList()
    this.scopes.activate(3)
    this.expect('do')
    this.scopes.openBlock(false)
    this.scopes.activate(variables.length)
    const body = this.block()
    this.scopes.closeBlock()
    return { type: 'forin', variables, values, body, line }
  }

  private functionStatement(line: number): Statement {
    this.lexer.next()
    let target = this.scopes.resolve(this.name()) as Target
    let isMethod = false
    while (this.lexer.kind === '.' || this.lexer.kind === ':') {
      isMethod = this.lexer.kind === ':'
      target = this.field(target)
      if (isMethod) break
    }
    const body = this.functionBody(isMethod, line)
    if (target.type === 'local') target.variable.assigned = true
    return { type: 'assign', targets: [target], values: [{ type: 'function', body }], line }
  }

  private localFunction(): Statement {
    const variable = this.scopes.declare(this.name())
    this.scopes.activate(1)
    const body = this.functionBody(false, this.lexer.line)
    variable.initial = { type: 'function', body }
    return { type: 'localfunction', variable, body }
  }

  private localStatement(): Statement {
    const variables = []
    do variables.push(this.scopes.declare(this.name()))
    while (this.accept(','))
    const values = this.accept('=') ? this.expressionList() : []
    this.scopes.activate(variables.length)
    for (const [i, variable] of variables.entries()) variable.initial = values[i]
    return { type: 'local', variables, values }
  }

  private returnStatement(): Statement {
    this.lexer.next()
    if (this.blockEnds() || this.lexer.kind === ';') return { type: 'return', values: [] }
    return { type: 'return', values: this.expressionList() }
  }

  private expressionStatement(): Statement {
    const e = this.primary()
    if (e.type === 'call' || e.type === 'method') return { type: 'call', call: e }
    const targets: Target[] = []
    let next: Expression = e
    for (;;) {
      if (next.type !== 'local' && next.type !== 'global' && next.type !== 'index') this.lexer.fail('syntax error')
      if (next.type === 'local') next.variable.assigned = true
      targets.push(next)
      if (!this.accept(',')) break
      next = this.primary()
      if (targets.length > LEVELS_MAX - this.levels)
        this.scopes.failLimit(LEVELS_MAX - this.levels, 'variables in assignment')
    }
    this.expect('=')
    const values = this.expressionList()
    return { type: 'assign', targets, values, line: this.lexer.lastLine }
  }

  // Expressions.

  private expressionList(): Expression[] {
    const list = [this.expression()]
    while (this.accept(',')) {
      this.settle(list[list.length - 1])
      list.push(this.expression())
    }
    this.settle(list[list.length - 1])
    return list
  }

  private expression(): Expression {
    return this.subexpression(0)
  }

  private subexpression(limit: number): Expression {
    this.enterLevel()
    let left = this.unaryOrSimple()
    for (;;) {
      const operator = this.lexer.kind
      const priority = PRIORITY[operator]
      if (priority === undefined || priority[0] <= limit) break
      this.lexer.next()
      this.settle(left)
      const right = this.settle(this.subexpression(priority[1]))
      if (operator === 'and' || operator === 'or') left = { type: operator, left, right }
      else {
        const folded = foldBinary(operator, left, right)
        if (folded !== undefined) {
          left = folded
          continue
        }
        const line = operator === '..' && right.type === 'binary' && right.operator === '..' ? right.line : 0
        left = {
          type: 'binary',
          operator: operator as BinaryOperator,
          left,
          right,
          line: line || this.lexer.lastLine,
        }
      }
    }
    this.levels--
    return left
  }

  private unaryOrSimple(): Expression {
    const lexer = this.lexer
    switch (lexer.kind) {
      case 'not':
        lexer.next()
        return { type: 'not', operand: this.settle(this.subexpression(UNARY_PRIORITY)) }
      case '-':
      case '#': {
        const type = lexer.kind === '-' ? 'negate' : 'length'
        lexer.next()
        const operand = this.settle(this.subexpression(UNARY_PRIORITY))
        const constant = numberConstant(operand)
        if (type === 'negate' && constant !== undefined) return { type: 'number', value: -constant }
        return { type, operand, line: lexer.lastLine }
      }
      case NUMBER: {
        const value = lexer.value
        this.scopes.mention(value)
        lexer.next()
        return { type: 'number', value }
      }
      case STRING: {
        const value = lexer.text
        this.scopes.mention(value)
        lexer.next()
        return { type: 'string', value }
      }
      case 'nil':
      case 'true':
      case 'false': {
        const type = lexer.kind
        lexer.next()
        return { type }
      }
      case '...': {
        const body = this.scopes.current
        if (!body.isVararg) lexer.fail("cannot use '...' outside a vararg function")
        body.usesVararg = true
        lexer.next()
        return { type: 'vararg' }
      }
      case '{':
        return this.table()
      case 'function':
        lexer.next()
        return { type: 'function', body: this.functionBody(false, lexer.line) }
      default:
        return this.primary()
    }
  }

  private primary(): Expression {
    const lexer = this.lexer
    let e = this.prefix()
    for (;;) {
      switch (lexer.kind) {
        case '.':
          e = this.field(e)
          break
        case '[': {
          this.settle(e)
          lexer.next()
          const key = this.settle(this.expression())
          this.expect(']')
          e = { type: 'index', object: e, key, isFar: key.type === 'string' && this.scopes.isFar(key.value), line: 0 }
          break
        }
        case ':': {
          lexer.next()
          const name = this.constantName()
          this.settle(e)
          e = this.callArguments(e, name, lexer.lastLine)
          break
        }
        case '(':
        case STRING:
        case '{':
          this.settle(e)
          e = this.callArguments(e, undefined, 0)
          break
        default:
          return e
      }
    }
  }

  private prefix(): Expression {
    const lexer = this.lexer
    if (lexer.kind === '(') {
      const line = lexer.line
      lexer.next()
      const inner = this.expression()
      this.close(')', '(', line)
      return this.settle({ type: 'paren', inner: inner.type === 'paren' ? inner.inner : inner })
    }
    if (lexer.kind === NAME) return this.scopes.resolve(this.name())
    return lexer.fail('unexpected symbol')
  }

  /** A name that the code uses as a string. */
  private constantName(): string {
    const name = this.name()
    this.scopes.mention(name)
    return name
  }

  private field(object: Expression): Target {
    this.settle(object)
    this.lexer.next()
    const value = this.constantName()
    return { type: 'index', object, key: { type: 'string', value }, isFar: this.scopes.isFar(value), line: 0 }
  }

  private callArguments(
    f: Expression,
    method: string | undefined,
    selfLine: number,
  ): CallExpression | MethodExpression {
    const lexer = this.lexer
    const line = lexer.line
    let args: Expression[] = []
    if (lexer.kind === '(') {
      if (line !== lexer.lastLine) lexer.fail('ambiguous syntax (function call x new statement)')
      lexer.next()
      if (!this.isNow(')')) args = this.openExpressionList()
      this.close(')', '(', line)
      if (args.length > 0) this.settle(args[args.length - 1])
      if (args.length > ARGUMENTS_MAX) lexer.fail('function or expression too complex')
    } else if (lexer.kind === '{') args = [this.table()]
    else if (lexer.kind === STRING) {
      args = [{ type: 'string', value: lexer.text }]
      this.scopes.mention(lexer.text)
      lexer.next()
    } else lexer.fail('function arguments expected')
    if (method === undefined) {
      if (f.type === 'local') f.variable.calls++
      return { type: 'call', callee: f, args, line }
    }
    return { type: 'method', object: f, name: method, isFar: this.scopes.isFar(method), args, line, selfLine }
  }

  /** A list whose last expression is settled by the caller. */
  private openExpressionList(): Expression[] {
    const list = [this.expression()]
    while (this.accept(',')) {
      this.settle(list[list.length - 1])
      list.push(this.expression())
    }
    return list
  }

  private table(): TableExpression {
    const lexer = this.lexer
    const line = lexer.line
    const items: TableExpression['items'] = []
    let pending: Expression | undefined
    this.expect('{')
    do {
      if (lexer.kind === '}') break
      if (pending !== undefined) this.settle(pending)
      pending = undefined
      if (lexer.kind === '[' || (lexer.kind === NAME && lexer.peek() === '=')) {
        let key: Expression
        if (lexer.kind === NAME) key = { type: 'string', value: this.constantName() }
        else {
          lexer.next()
          key = this.settle(this.expression())
          this.expect(']')
        }
        this.expect('=')
        const value = this.settle(this.expression())
        items.push({ key, value, line: lexer.lastLine })
      } else {
        pending = this.expression()
        items.push({ key: undefined, value: pending, line: 0 })
      }
    } while (this.accept(',') || this.accept(';'))
    this.close('}', '{', line)
    if (pending !== undefined && !isOpen(pending)) this.settle(pending)
    return { type: 'table', items }
  }

  private functionBody(isMethod: boolean, line: number): FunctionBody {
    const body = new NewFunctionBody(this.scopes.current, line)
    this.scopes.openFunction(body)
    this.expect('(')
    if (isMethod) this.parameter(body, 'self')
    if (this.lexer.kind !== ')') this.parameters(body)
    this.expect(')')
    body.body = this.statements()
    this.close('end', 'function', line)
    this.scopes.closeFunction()
    return body
  }

  private parameter(body: FunctionBody, name: string): void {
    body.parameters.push(this.scopes.declare(name))
    this.scopes.activate(1)
  }

  private parameters(body: FunctionBody): void {
    const names: string[] = []
    do {
      if (this.lexer.kind === NAME) {
        body.parameters.push(this.scopes.declare(this.name()))
        names.push('')
      } else if (this.accept('...')) {
        body.isVararg = true
        body.argTable = this.scopes.declare('arg')
        names.push('')
      } else this.lexer.fail("<name> or '...' expected")
    } while (!body.isVararg && this.accept(','))
    this.scopes.activate(names.length)
  }
}
