// Parser of expressions: precedence, calls, constructors, function bodies. parser.ts reads the statements of a body.

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
import { type Lexer, NAME, NUMBER, STRING } from './lexer.ts'
import type { Scopes } from './scopes.ts'
import type { TokenReader } from './token-reader.ts'

/** Lua's limit, from its 250 registers per function. */
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

export class ExpressionParser {
  private readonly tokens: TokenReader
  private readonly lexer: Lexer
  private readonly scopes: Scopes
  /** Reads the statements of a function body. */
  private readonly statements: () => Statement[]

  constructor(tokens: TokenReader, statements: () => Statement[]) {
    this.tokens = tokens
    this.lexer = tokens.lexer
    this.scopes = tokens.scopes
    this.statements = statements
  }

  expressionList(): Expression[] {
    const list = [this.expression()]
    while (this.tokens.accept(',')) {
      this.tokens.settle(list[list.length - 1])
      list.push(this.expression())
    }
    this.tokens.settle(list[list.length - 1])
    return list
  }

  expression(): Expression {
    return this.subexpression(0)
  }

  private subexpression(limit: number): Expression {
    this.tokens.enterLevel()
    let left = this.unaryOrSimple()
    for (;;) {
      const operator = this.lexer.kind
      const priority = PRIORITY[operator]
      if (priority === undefined || priority[0] <= limit) break
      this.lexer.next()
      this.tokens.settle(left)
      const right = this.tokens.settle(this.subexpression(priority[1]))
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
    this.tokens.leaveLevel()
    return left
  }

  private unaryOrSimple(): Expression {
    const lexer = this.lexer
    switch (lexer.kind) {
      case 'not':
        lexer.next()
        return { type: 'not', operand: this.tokens.settle(this.subexpression(UNARY_PRIORITY)) }
      case '-':
      case '#': {
        const type = lexer.kind === '-' ? 'negate' : 'length'
        lexer.next()
        const operand = this.tokens.settle(this.subexpression(UNARY_PRIORITY))
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

  primary(): Expression {
    const lexer = this.lexer
    let e = this.prefix()
    for (;;) {
      switch (lexer.kind) {
        case '.':
          e = this.field(e)
          break
        case '[': {
          this.tokens.settle(e)
          lexer.next()
          const key = this.tokens.settle(this.expression())
          this.tokens.expect(']')
          e = { type: 'index', object: e, key, isFar: key.type === 'string' && this.scopes.isFar(key.value), line: 0 }
          break
        }
        case ':': {
          lexer.next()
          const name = this.tokens.constantName()
          this.tokens.settle(e)
          e = this.callArguments(e, name, lexer.lastLine)
          break
        }
        case '(':
        case STRING:
        case '{':
          this.tokens.settle(e)
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
      this.tokens.close(')', '(', line)
      return this.tokens.settle({ type: 'paren', inner: inner.type === 'paren' ? inner.inner : inner })
    }
    if (lexer.kind === NAME) return this.scopes.resolve(this.tokens.name())
    return lexer.fail('unexpected symbol')
  }

  field(object: Expression): Target {
    this.tokens.settle(object)
    this.lexer.next()
    const value = this.tokens.constantName()
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
      if (!this.tokens.isNow(')')) args = this.openExpressionList()
      this.tokens.close(')', '(', line)
      if (args.length > 0) this.tokens.settle(args[args.length - 1])
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
    while (this.tokens.accept(',')) {
      this.tokens.settle(list[list.length - 1])
      list.push(this.expression())
    }
    return list
  }

  private table(): TableExpression {
    const lexer = this.lexer
    const line = lexer.line
    const items: TableExpression['items'] = []
    let pending: Expression | undefined
    this.tokens.expect('{')
    do {
      if (lexer.kind === '}') break
      if (pending !== undefined) this.tokens.settle(pending)
      pending = undefined
      if (lexer.kind === '[' || (lexer.kind === NAME && lexer.peek() === '=')) {
        let key: Expression
        if (lexer.kind === NAME) key = { type: 'string', value: this.tokens.constantName() }
        else {
          lexer.next()
          key = this.tokens.settle(this.expression())
          this.tokens.expect(']')
        }
        this.tokens.expect('=')
        const value = this.tokens.settle(this.expression())
        items.push({ key, value, line: lexer.lastLine })
      } else {
        pending = this.expression()
        items.push({ key: undefined, value: pending, line: 0 })
      }
    } while (this.tokens.accept(',') || this.tokens.accept(';'))
    this.tokens.close('}', '{', line)
    if (pending !== undefined && !isOpen(pending)) this.tokens.settle(pending)
    return { type: 'table', items }
  }

  functionBody(isMethod: boolean, line: number): FunctionBody {
    const body = new NewFunctionBody(this.scopes.current, line)
    this.scopes.openFunction(body)
    this.tokens.expect('(')
    if (isMethod) this.parameter(body, 'self')
    if (this.lexer.kind !== ')') this.parameters(body)
    this.tokens.expect(')')
    body.body = this.statements()
    this.tokens.close('end', 'function', line)
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
        body.parameters.push(this.scopes.declare(this.tokens.name()))
        names.push('')
      } else if (this.tokens.accept('...')) {
        body.isVararg = true
        body.argTable = this.scopes.declare('arg')
        names.push('')
      } else this.lexer.fail("<name> or '...' expected")
    } while (!body.isVararg && this.tokens.accept(','))
    this.scopes.activate(names.length)
  }
}
