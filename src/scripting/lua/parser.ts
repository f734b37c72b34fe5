// Parser: Lua 5.1 source to a syntax tree, with Lua's own limits, error texts and line numbers. Here are
// statements; expression-parser.ts has expressions.
//
// Always: settle(e) is called where Lua would emit the expression's instruction; `lastLine` at that moment is the line
// that an error in it reports.

import type { Expression, FunctionBody, Statement, StopStatement, Target } from './ast.ts'
import { FunctionBody as NewFunctionBody } from './ast.ts'
import { ExpressionParser } from './expression-parser.ts'
import { END_OF_SOURCE, Lexer } from './lexer.ts'
import { Scopes } from './scopes.ts'
import { TokenReader } from './token-reader.ts'

/**
 * Parses a whole chunk; throws LuaError with Lua's message. `outerLevels`: nested C calls around the compiler. `stops`:
 * for a debugger.
 */
export function parse(source: string, chunkName: string, outerLevels: number, stops = false): FunctionBody {
  return new Parser(new Lexer(source, chunkName), outerLevels, stops).chunk()
}

/** Whether a source that begins so is wrong whatever follows. */
export function isWrongAlready(source: string, chunkName: string, outerLevels: number): boolean {
  const lexer = new Lexer(source, chunkName)
  try {
    new Parser(lexer, outerLevels, false).chunk()
    return false
  } catch {
    return !lexer.isAtEnd
  }
}

class Parser {
  private readonly lexer: Lexer
  private readonly scopes: Scopes
  private readonly tokens: TokenReader
  private readonly expressions: ExpressionParser
  private readonly stops: boolean

  constructor(lexer: Lexer, outerLevels: number, stops: boolean) {
    this.lexer = lexer
    this.stops = stops
    this.scopes = new Scopes(lexer)
    this.tokens = new TokenReader(lexer, this.scopes, outerLevels)
    this.expressions = new ExpressionParser(this.tokens, () => this.functionStatements())
  }

  chunk(): FunctionBody {
    const main = new NewFunctionBody(undefined, 0)
    main.isVararg = true
    this.scopes.openFunction(main)
    this.lexer.next()
    main.body = this.functionStatements()
    this.tokens.expectNow(END_OF_SOURCE)
    this.scopes.closeFunction()
    return main
  }

  // Statements.

  /** The statements of a function, and its end, where Lua returns. */
  private functionStatements(): Statement[] {
    const list = this.statements()
    const last = list[list.length - 1]?.type
    if (last !== 'return' && last !== 'break') this.addStop(list, this.endLine)
    return list
  }

  /** Lua's line for the end of the function. */
  private get endLine(): number {
    return this.lexer.kind === END_OF_SOURCE ? this.lexer.lastLine : this.lexer.line
  }

  private addStop(list: Statement[], line: number, again = false): void {
    if (this.stops) list.push({ type: 'stop', line, locals: this.scopes.visible(), again })
  }

  private statements(): Statement[] {
    const list: Statement[] = []
    this.tokens.enterLevel()
    let isLast = false
    while (!isLast && !this.blockEnds()) {
      this.addStop(list, this.lexer.line)
      const statement = this.statement()
      if (this.stops) this.moveStop(list, statement)
      list.push(statement)
      isLast = statement.type === 'return' || statement.type === 'break'
      this.tokens.accept(';')
    }
    this.tokens.leaveLevel()
    return list
  }

  /** A function is made at its `end`, and then, if it is no local one, assigned at its beginning. */
  private moveStop(list: Statement[], statement: Statement): void {
    const values = statement.type === 'local' || statement.type === 'assign' ? statement.values : undefined
    if (statement.type !== 'localfunction' && values?.[0]?.type !== 'function') return
    const stop = list[list.length - 1] as StopStatement
    const { line } = stop
    stop.line = this.lexer.lastLine
    if (statement.type === 'assign') list.push({ ...stop, line })
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
        this.tokens.close('end', 'do', line)
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
        return this.tokens.accept('function') ? this.localFunction() : this.localStatement()
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
      const condition = this.tokens.settle(this.expressions.expression())
      this.tokens.expect('then')
      clauses.push({ condition, body: this.block() })
    } while (this.lexer.kind === 'elseif')
    if (this.tokens.accept('else')) clauses.push({ condition: undefined, body: this.block() })
    this.tokens.close('end', 'if', line)
    return { type: 'if', clauses }
  }

  private whileStatement(line: number): Statement {
    this.lexer.next()
    const condition = this.tokens.settle(this.expressions.expression())
    this.scopes.openBlock(true)
    this.tokens.expect('do')
    const body = this.block()
    this.addStop(body, line, true)
    this.tokens.close('end', 'while', line)
    this.scopes.closeBlock()
    return { type: 'while', condition, body, line }
  }

  private repeatStatement(line: number): Statement {
    this.scopes.openBlock(true)
    this.scopes.openBlock(false)
    this.lexer.next()
    const body = this.statements()
    this.addStop(body, this.lexer.line)
    this.tokens.close('until', 'repeat', line)
    const condition = this.tokens.settle(this.expressions.expression())
    this.scopes.closeBlock()
    this.scopes.closeBlock()
    return { type: 'repeat', condition, body, line }
  }

  private forStatement(line: number): Statement {
    this.scopes.openBlock(true)
    this.lexer.next()
    const firstName = this.tokens.name()
    let statement: Statement
    if (this.lexer.kind === '=') statement = this.forNumber(firstName)
    else if (this.lexer.kind === ',' || this.lexer.kind === 'in') statement = this.forIn(firstName)
    else this.lexer.fail("'=' or 'in' expected")
    this.tokens.close('end', 'for', line)
    this.scopes.closeBlock()
    return statement
  }

  private forNumber(name: string): Statement {
    for (const hidden of ['(for index)', '(for limit)', '(for step)']) this.scopes.declare(hidden)
    const variable = this.scopes.declare(name)
    this.lexer.next()
    const start = this.tokens.settle(this.expressions.expression())
    this.tokens.expect(',')
    const limit = this.tokens.settle(this.expressions.expression())
    const step = this.tokens.accept(',') ? this.tokens.settle(this.expressions.expression()) : undefined
    this.scopes.activate(3)
    this.tokens.expect('do')
    const line = this.lexer.lastLine
    this.scopes.openBlock(false)
    this.scopes.activate(1)
    const body = this.block()
    this.addStop(body, line, true)
    this.scopes.closeBlock()
    return { type: 'fornum', variable, start, limit, step, body, line }
  }

  private forIn(firstName: string): Statement {
    for (const hidden of ['(for generator)', '(for state)', '(for control)']) this.scopes.declare(hidden)
    const variables = [this.scopes.declare(firstName)]
    while (this.tokens.accept(',')) variables.push(this.scopes.declare(this.tokens.name()))
    this.tokens.expect('in')
    const line = this.lexer.line
    const values = this.expressions.expressionList()
    this.scopes.activate(3)
    this.tokens.expect('do')
    this.scopes.openBlock(false)
    this.scopes.activate(variables.length)
    const body = this.block()
    this.addStop(body, line, true)
    this.scopes.closeBlock()
    return { type: 'forin', variables, values, body, line }
  }

  private functionStatement(line: number): Statement {
    this.lexer.next()
    let target = this.scopes.resolve(this.tokens.name()) as Target
    let isMethod = false
    while (this.lexer.kind === '.' || this.lexer.kind === ':') {
      isMethod = this.lexer.kind === ':'
      target = this.expressions.field(target)
      if (isMethod) break
    }
    const body = this.expressions.functionBody(isMethod, line)
    if (target.type === 'local') target.variable.assigned = true
    return { type: 'assign', targets: [target], values: [{ type: 'function', body }], line }
  }

  private localFunction(): Statement {
    const variable = this.scopes.declare(this.tokens.name())
    this.scopes.activate(1)
    const body = this.expressions.functionBody(false, this.lexer.line)
    variable.initial = { type: 'function', body }
    return { type: 'localfunction', variable, body }
  }

  private localStatement(): Statement {
    const variables = []
    do variables.push(this.scopes.declare(this.tokens.name()))
    while (this.tokens.accept(','))
    const values = this.tokens.accept('=') ? this.expressions.expressionList() : []
    this.scopes.activate(variables.length)
    for (const [i, variable] of variables.entries()) variable.initial = values[i]
    return { type: 'local', variables, values }
  }

  private returnStatement(): Statement {
    this.lexer.next()
    if (this.blockEnds() || this.lexer.kind === ';') return { type: 'return', values: [] }
    return { type: 'return', values: this.expressions.expressionList() }
  }

  private expressionStatement(): Statement {
    const e = this.expressions.primary()
    if (e.type === 'call' || e.type === 'method') return { type: 'call', call: e }
    const targets: Target[] = []
    let next: Expression = e
    for (;;) {
      if (next.type !== 'local' && next.type !== 'global' && next.type !== 'index') this.lexer.fail('syntax error')
      if (next.type === 'local') next.variable.assigned = true
      targets.push(next)
      if (!this.tokens.accept(',')) break
      next = this.expressions.primary()
      if (targets.length > this.tokens.levelsLeft)
        this.scopes.failLimit(this.tokens.levelsLeft, 'variables in assignment')
    }
    this.tokens.expect('=')
    const values = this.expressions.expressionList()
    return { type: 'assign', targets, values, line: this.lexer.lastLine }
  }
}
