// The token source of both halves of the parser: tokens, Lua's errors for missing ones, and the nesting depth of the
// syntax.

import type { Expression } from './ast.ts'
import { type Lexer, NAME } from './lexer.ts'
import type { Scopes } from './scopes.ts'

const LEVELS_MAX = 200

export class TokenReader {
  readonly lexer: Lexer
  readonly scopes: Scopes
  private levels: number

  constructor(lexer: Lexer, scopes: Scopes, outerLevels: number) {
    this.lexer = lexer
    this.scopes = scopes
    this.levels = outerLevels
  }

  get levelsLeft(): number {
    return LEVELS_MAX - this.levels
  }

  accept(kind: string): boolean {
    if (this.lexer.kind !== kind) return false
    this.lexer.next()
    return true
  }

  isNow(kind: string): boolean {
    return this.lexer.kind === kind
  }

  expectNow(kind: string): void {
    if (this.lexer.kind !== kind) this.lexer.fail(`'${kind}' expected`)
  }

  expect(kind: string): void {
    this.expectNow(kind)
    this.lexer.next()
  }

  /** The token that closes `opener`, which is at `line`. */
  close(kind: string, opener: string, line: number): void {
    if (this.accept(kind)) return
    if (line === this.lexer.line) this.lexer.fail(`'${kind}' expected`)
    this.lexer.fail(`'${kind}' expected (to close '${opener}' at line ${line})`)
  }

  name(): string {
    this.expectNow(NAME)
    const name = this.lexer.text
    this.lexer.next()
    return name
  }

  enterLevel(): void {
    if (++this.levels > LEVELS_MAX) this.lexer.failNear('chunk has too many syntax levels')
  }

  leaveLevel(): void {
    this.levels--
  }

  /** See the head of parser.ts. */
  settle(e: Expression): Expression {
    const inner = e.type === 'paren' ? e.inner : e
    if ((inner.type === 'index' || inner.type === 'global') && inner.line === 0) inner.line = this.lexer.lastLine
    return e
  }

  /** A name used as a string constant. */
  constantName(): string {
    const name = this.name()
    this.scopes.mention(name)
    return name
  }
}
