// The syntax tree of a Lua chunk, names already resolved to locals, upvalues and globals.
//
// `line` is the line that Lua records for the node's instruction: 0 until the parser reaches the point where Lua emits
// it, possibly several tokens after the node.

export class LocalVariable {
  readonly id: number
  readonly name: string
  readonly owner: FunctionBody
  /** An upvalue of an inner function. */
  captured = false
  /** Written after its declaration. */
  assigned = false
  /** Uses after its declaration, and how many of them are calls. */
  mentions = 0
  calls = 0
  /** The expression it is initialised with, if it has one of its own. */
  initial: Expression | undefined = undefined
  constructor(id: number, name: string, owner: FunctionBody) {
    this.id = id
    this.name = name
    this.owner = owner
  }
}

export class FunctionBody {
  readonly parent: FunctionBody | undefined
  /** 0 for the main chunk. */
  readonly line: number
  parameters: LocalVariable[] = []
  isVararg = false
  /** The local `arg` of a vararg function without `...`, filled as in Lua 5.0. */
  argTable: LocalVariable | undefined = undefined
  usesVararg = false
  upvalues = new Set<LocalVariable>()
  /** In the main chunk: all global names used in it. */
  globalNames = new Set<string>()
  body: Statement[] = []
  constructor(parent: FunctionBody | undefined, line: number) {
    this.parent = parent
    this.line = line
  }
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '^' | '..' | '==' | '~=' | '<' | '<=' | '>' | '>='

export interface LocalExpression {
  type: 'local'
  variable: LocalVariable
  isUpvalue: boolean
}
interface GlobalExpression {
  type: 'global'
  name: string
  line: number
}
export interface IndexExpression {
  type: 'index'
  object: Expression
  key: Expression
  /** The key's constant index is too high for Lua to name it in an error. */
  isFar: boolean
  line: number
}
export interface CallExpression {
  type: 'call'
  callee: Expression
  args: Expression[]
  line: number
}
export interface MethodExpression {
  type: 'method'
  object: Expression
  name: string
  /** As for an index. */
  isFar: boolean
  args: Expression[]
  line: number
  /** The line of the method lookup (OP_SELF). */
  selfLine: number
}
interface BinaryExpression {
  type: 'binary'
  operator: BinaryOperator
  left: Expression
  right: Expression
  line: number
}
export interface TableExpression {
  type: 'table'
  items: { key: Expression | undefined; value: Expression; line: number }[]
}

export type Expression =
  | { type: 'nil' | 'true' | 'false' | 'vararg' }
  | { type: 'number'; value: number }
  | { type: 'string'; value: string }
  | { type: 'function'; body: FunctionBody }
  | { type: 'and' | 'or'; left: Expression; right: Expression }
  | { type: 'not'; operand: Expression }
  | { type: 'negate' | 'length'; operand: Expression; line: number }
  | { type: 'paren'; inner: Expression }
  | LocalExpression
  | GlobalExpression
  | IndexExpression
  | CallExpression
  | MethodExpression
  | BinaryExpression
  | TableExpression

export type Target = LocalExpression | GlobalExpression | IndexExpression

export type Statement =
  | { type: 'local'; variables: LocalVariable[]; values: Expression[] }
  | { type: 'localfunction'; variable: LocalVariable; body: FunctionBody }
  | { type: 'assign'; targets: Target[]; values: Expression[]; line: number }
  | { type: 'call'; call: CallExpression | MethodExpression }
  | { type: 'do'; body: Statement[] }
  | { type: 'while'; condition: Expression; body: Statement[]; line: number }
  | { type: 'repeat'; condition: Expression; body: Statement[]; line: number }
  | { type: 'if'; clauses: { condition: Expression | undefined; body: Statement[] }[] }
  | {
      type: 'fornum'
      variable: LocalVariable
      start: Expression
      limit: Expression
      step: Expression | undefined
      body: Statement[]
      line: number
    }
  | { type: 'forin'; variables: LocalVariable[]; values: Expression[]; body: Statement[]; line: number }
  | { type: 'return'; values: Expression[] }
  | { type: 'break' }
  | StopStatement

/** Where a debugger may stop: before the first statement of a line. Only in chunks that are compiled for one. */
export interface StopStatement {
  type: 'stop'
  line: number
  /** The function's visible locals, innermost last. */
  locals: LocalVariable[]
  /** Stops even if the last stop was in the same line: the head of a loop. */
  again: boolean
}

/** Whether an expression can have any number of values. */
export function isOpen(e: Expression): boolean {
  return e.type === 'call' || e.type === 'method' || e.type === 'vararg'
}
