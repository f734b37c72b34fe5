// Expressions as JavaScript expressions.
//
// Always: an emitted expression gives exactly one Lua value (or, from `open`, an array of them), and is valid inside
// parentheses and between commas. Temporaries t0, t1 ... are allocated in stack order: one that holds an operand has a
// lower number than those of later operands. `g` holds a call's result from the evaluation of the arguments on.

import type {
  CallExpression,
  Expression,
  FunctionBody,
  IndexExpression,
  LocalExpression,
  LocalVariable,
  MethodExpression,
  TableExpression,
} from './ast.ts'
import { isOpen } from './ast.ts'
import {
  comparisons,
  describe,
  finishings,
  hoistedName,
  isBoolean,
  isConstant,
  isLuaFunction,
  isOmitted,
  literal,
  localName,
  localSlot,
  numberLiteral,
  stripParens,
} from './code.ts'
import { numberConstant } from './fold.ts'
import type { HoistedFunctions } from './hoisted.ts'
import type { Numbers } from './infer.ts'
import type { NanSigns } from './nan.ts'
import { constructorSize, hashString } from './table.ts'
import { NEST, type Site } from './value.ts'

const ARITHMETIC_EVENTS: Record<string, number> = { '+': 0, '-': 1, '*': 2, '/': 3, '%': 4, '^': 5 }

/** Runs the call started in `g` and leaves its result there. */
export const RUN = `(g=R.run(S,g))!==P||(yield ${NEST},g=R.takeResult(S))`

/** Compilation state shared by the functions of a chunk. */
export interface ChunkContext {
  sites: Site[]
  numbers: Numbers
  nanSigns: NanSigns
  /** Metamethods may be Lua functions: any operation may suspend. */
  hasMetamethods: boolean
  /** The chunk's functions as JavaScript statements, inner ones first. */
  functions: string[]
  /** Compiles a function to a JavaScript expression. */
  functionSource(body: FunctionBody): string
  hoisted: HoistedFunctions
  /** The JavaScript names of the hoisted functions. */
  hoistedNames: string[]
  /** The name of the host function that an expression always is, if that function never suspends. */
  hostFunction(e: Expression): string | undefined
}

export class ExpressionCompiler {
  protected readonly chunk: ChunkContext
  /** 0 or -0, whichever the function uses first: Lua shares one constant for both. */
  private zero: number | undefined = undefined
  protected temps = 0
  protected tempsMax = 0

  constructor(chunk: ChunkContext) {
    this.chunk = chunk
  }

  /** Calls an operation that may run a metamethod. */
  protected slow(name: string, ...args: (string | number)[]): string {
    if (this.chunk.hasMetamethods) return `(yield* R.${name}(S,${args.join(',')}))`
    return `R.${name}Sync(S,${args.join(',')})`
  }

  protected temp(): string {
    const name = `t${this.temps++}`
    if (this.temps > this.tempsMax) this.tempsMax = this.temps
    return name
  }

  protected site(line: number, kind: Site['kind'], e?: Expression): number {
    const { what, name } = e === undefined ? { what: '', name: '' } : describe(e)
    return this.chunk.sites.push({ line, what, name, kind }) - 1
  }

  protected isNumber(e: Expression): boolean {
    return this.chunk.numbers.isNumber(e)
  }

  /** One value. */
  expression(e: Expression): string {
    const mark = this.temps
    const code = this.build(e)
    this.temps = mark
    return code
  }

  private build(e: Expression): string {
    switch (e.type) {
      case 'nil':
        return 'undefined'
      case 'true':
      case 'false':
        return e.type
      case 'number':
        if (e.value !== 0) return numberLiteral(e.value)
        this.zero ??= e.value
        return numberLiteral(this.zero)
      case 'string':
        return literal(e.value)
      case 'vararg':
        return 'va[0]'
      case 'function':
        return `new LF(${this.chunk.functionSource(e.body)},false,CH,this.env)`
      case 'local':
        return this.localValue(e)
      case 'global':
        return this.global(e.name, e.line)
      case 'index':
        return this.index(e)
      case 'call':
      case 'method':
        return this.call(e, 'single')
      case 'paren':
        return this.expression(e.inner)
      case 'and':
      case 'or':
        return this.logical(e.type, e.left, e.right)
      case 'not':
        return `!${this.condition(e.operand)}`
      case 'negate':
      case 'length':
        return this.unary(e.type, e.operand, e.line)
      case 'table':
        return this.table(e)
      case 'binary':
        if (e.operator === '..') return this.concat(e)
        if (comparisons.has(e.operator)) return this.comparison(e.operator, e.left, e.right, e.line)
        return this.arithmetic(e.operator, e.left, e.right, e.line)
    }
  }

  /**
   * A local that is always a host function or a hoisted one is replaced by that function, so that it is not captured.
   */
  private localValue(e: LocalExpression): string {
    return this.chunk.hostFunction(e) ?? (this.isHoisted(e.variable) ? hoistedName(e.variable) : localName(e.variable))
  }

  protected isHoisted(variable: LocalVariable): boolean {
    return this.chunk.hoisted.isHoisted(variable)
  }

  /** The captured variables passed to a hoisted callee before its arguments. */
  private capturesOf(callee: Expression): string[] {
    if (callee.type !== 'local' || callee.variable.initial?.type !== 'function') return []
    if (!this.isHoisted(callee.variable)) return []
    return [...this.chunk.hoisted.capturesOf(callee.variable.initial.body)].map(localSlot)
  }

  /** The name of a callee that is always the same function, if that never suspends. */
  private plainFunction(callee: Expression): string | undefined {
    if (
      callee.type !== 'local' ||
      !this.isHoisted(callee.variable) ||
      !this.chunk.hoisted.isNonSuspending(callee.variable)
    )
      return this.chunk.hostFunction(callee)
    return hoistedName(callee.variable)
  }

  /** A JavaScript boolean: the truth of the value in Lua. */
  condition(e: Expression): string {
    const bare = stripParens(e)
    if (bare.type === 'and' || bare.type === 'or') {
      if (isOmitted(bare.type, bare.left)) return this.condition(bare.right)
      const operator = bare.type === 'and' ? '&&' : '||'
      return `(${this.condition(bare.left)}${operator}${this.condition(bare.right)})`
    }
    if (isBoolean(bare)) return this.expression(bare)
    if (bare.type === 'nil') return 'false'
    if (bare.type === 'local') return `(${this.localValue(bare)}!==undefined&&${this.localValue(bare)}!==false)`
    const mark = this.temps
    const value = this.expression(bare)
    const t = this.temp()
    this.temps = mark
    return `((${t}=${value})!==undefined&&${t}!==false)`
  }

  private logical(type: 'and' | 'or', left: Expression, right: Expression): string {
    if (isOmitted(type, left)) return this.expression(right)
    const value = this.expression(left)
    const other = this.expression(right)
    if (isBoolean(left)) return `(${value}${type === 'and' ? '&&' : '||'}(${other}))`
    const t = this.temp()
    const test =
      type === 'and' ? `(${t}=${value})===undefined||${t}===false` : `(${t}=${value})!==undefined&&${t}!==false`
    return `(${test}?${t}:${other})`
  }

  /** Evaluates into an expression that can be repeated; pushes the code that must run first. */
  protected atom(e: Expression, before: string[]): string {
    const bare = stripParens(e)
    if (bare.type === 'local') return this.localValue(bare)
    if (isConstant(bare)) return this.expression(bare)
    return this.intoTemp(e, before)
  }

  /** The same for an object to index; a constant is not one. */
  protected objectAtom(e: Expression, before: string[]): string {
    return isConstant(stripParens(e)) ? this.intoTemp(e, before) : this.atom(e, before)
  }

  protected intoTemp(e: Expression, before: string[]): string {
    const value = this.expression(e)
    const t = this.temp()
    before.push(`${t}=${value}`)
    return t
  }

  private sequence(before: string[], last: string): string {
    return before.length === 0 ? `(${last})` : `(${before.join(',')},${last})`
  }

  private global(name: string, line: number): string {
    const t = this.temp()
    const site = this.site(line, 'operation')
    const key = literal(name)
    return `((${t}=this.env.getStr(${key},${hashString(name)}))!==undefined?${t}:${this.slow('index', 'this.env', key, site)})`
  }

  private index(e: IndexExpression): string {
    const before: string[] = []
    const object = this.objectAtom(e.object, before)
    const key = this.atom(e.key, before)
    const t = this.temp()
    const site = this.site(e.line, 'operation', e.object)
    const slow = this.slow('index', object, key, site)
    return this.sequence(
      before,
      `${object} instanceof LT&&(${t}=${this.rawGet(object, e.key, key)})!==undefined?${t}:${slow}`,
    )
  }

  private rawGet(object: string, key: Expression, code: string): string {
    return key.type === 'string' ? `${object}.getStr(${code},${hashString(key.value)})` : `${object}.get(${code})`
  }

  // Operators.

  private unary(type: 'negate' | 'length', operand: Expression, line: number): string {
    const before: string[] = []
    const a = this.objectAtom(operand, before)
    const site = this.site(line, 'operation', operand)
    if (type === 'length') {
      const slow = `typeof ${a}==="string"?${a}.length:${this.slow('length', a, site)}`
      return this.sequence(before, `${a} instanceof LT?${a}.length():${slow}`)
    }
    if (this.isNumber(operand)) return this.sequence(before, `-${a}`)
    return this.sequence(before, `typeof ${a}==="number"?-${a}:${this.slow('negate', a, site)}`)
  }

  private isNumberTest(e: Expression, code: string): string {
    return this.isNumber(e) ? '' : `typeof ${code}==="number"`
  }

  private arithmetic(operator: string, left: Expression, right: Expression, line: number): string {
    const before: string[] = []
    // Of the constants of an operation Lua adds a number on its left last; that decides between 0 and -0.
    const first = numberConstant(left) === 0 ? undefined : this.atom(left, before)
    const b = this.atom(right, before)
    const a = first ?? this.atom(left, before)
    let fast = `${a}${operator}${b}`
    if (operator === '%') fast = `R.modulo(${a},${b})`
    else if (operator === '^') fast = `R.power(${a},${b})`
    else if (operator === '-') fast = `${a}- ${b}`
    const test = [this.isNumberTest(left, a), this.isNumberTest(right, b)].filter(Boolean).join('&&')
    if (test === '') return this.sequence(before, fast)
    const site = this.site(line, 'operation', left)
    this.site(line, 'operation', right)
    const event = ARITHMETIC_EVENTS[operator]
    return this.sequence(before, `${test}?${fast}:${this.slow('arithmetic', event, a, b, site)}`)
  }

  private comparison(operator: string, left: Expression, right: Expression, line: number): string {
    const before: string[] = []
    const a = this.atom(left, before)
    const b = this.atom(right, before)
    const site = this.site(line, 'operation')
    if (operator === '==' || operator === '~=') {
      const not = operator === '~=' ? '!' : ''
      if (this.hasPlainEquality(left) || this.hasPlainEquality(right))
        return this.sequence(before, `${a}${not || '='}==${b}`)
      const slow = `typeof ${a}==="object"&&typeof ${b}==="object"&&${this.slow('equal', a, b, site)}`
      return this.sequence(before, `${not}(${a}===${b}||${slow})`)
    }
    const tests = [this.isNumberTest(left, a), this.isNumberTest(right, b)].filter(Boolean)
    const fast = `${a}${operator}${b}`
    if (tests.length === 0) return this.sequence(before, fast)
    const swapped = operator[0] === '>'
    const operands = swapped ? `${b},${a}` : `${a},${b}`
    const slow = this.slow(operator.length === 1 ? 'less' : 'lessOrEqual', operands, site)
    return this.sequence(before, `${tests.join('&&')}?${fast}:${slow}`)
  }

  private hasPlainEquality(e: Expression): boolean {
    return isConstant(e) || isBoolean(e) || this.isNumber(e)
  }

  private concat(e: Expression): string {
    const operands: Expression[] = []
    let rest = e
    let line = 0
    while (rest.type === 'binary' && rest.operator === '..') {
      operands.push(this.chunk.nanSigns.printed(rest.left))
      line = rest.line
      rest = rest.right
    }
    operands.push(this.chunk.nanSigns.printed(rest))
    const before: string[] = []
    const names = operands.map((operand, i) => {
      const changes = operand.type === 'local' && operand.variable.captured && operand.variable.assigned
      return changes && i < operands.length - 1 ? this.intoTemp(operand, before) : this.atom(operand, before)
    })
    const site = this.chunk.sites.length
    for (const operand of operands) this.site(line, 'operation', operand)
    const tests: string[] = []
    const parts = names.map((name, i) => {
      const operand = stripParens(operands[i])
      if (operand.type === 'string') return name
      if (this.isNumber(operand)) return `R.formatNumber(${name})`
      tests.push(`(typeof ${name}==="string"||typeof ${name}==="number")`)
      return `(typeof ${name}==="string"?${name}:R.formatNumber(${name}))`
    })
    const fast = `R.limited(S,${parts.join('+')})`
    if (tests.length === 0) return this.sequence(before, fast)
    return this.sequence(before, `${tests.join('&&')}?${fast}:${this.slow('concat', `[${names.join(',')}]`, site)}`)
  }

  // Calls.

  /** `single`: one value. `open`: an array of values. `statement`: any value. */
  call(e: CallExpression | MethodExpression, mode: 'single' | 'open' | 'statement'): string {
    const mark = this.temps
    const code = `${this.startPlainCall(e, 'call') ?? this.startCall(e, 'call')},${finishings[mode]}`
    this.temps = mark
    return `(${code})`
  }

  /** The same for a function that never suspends; undefined when that is not certain. */
  protected startPlainCall(e: CallExpression | MethodExpression, kind: 'call' | 'tail'): string | undefined {
    const plain = e.type === 'call' ? this.plainFunction(e.callee) : undefined
    if (plain === undefined || e.type !== 'call') return undefined
    const before: string[] = []
    const site = this.site(e.line, kind, e.callee)
    before.push(`g=${plain}.js(${this.callArguments(e, this.capturesOf(e.callee), site, before)})`)
    return before.join(',')
  }

  /**
   * Code that leaves the call's result in `g`; with `kind` 'tail' the call is only started. Then `c` is true when it
   * has ended, false for a Lua function that has not begun, undefined for a host function that has.
   */
  startCall(e: CallExpression | MethodExpression, kind: 'call' | 'tail'): string {
    const before: string[] = []
    const callArgs: string[] = []
    let site: number
    if (e.type === 'call' && isLuaFunction(e.callee)) {
      site = this.site(e.line, kind, e.callee)
      const held = this.capturesOf(e.callee)
      before.push(`g=${this.expression(e.callee)}.js(${this.callArguments(e, held, site, before)})`)
      before.push(kind === 'call' ? RUN : 'c=false')
      return before.join(',')
    }
    const callee = this.temp()
    if (e.type === 'method') {
      const object = this.intoTemp(e.object, before)
      site = this.chunk.sites.push({ line: e.line, what: 'method', name: e.isFar ? '?' : e.name, kind }) - 1
      const lookup = this.site(e.selfLine, 'operation', e.object)
      const key = `${literal(e.name)},${hashString(e.name)}`
      before.push(
        `${callee}=${object} instanceof LT?${object}.getStr(${key}):typeof ${object}==="string"?R.stringMethod(S,${key}):undefined`,
        `${callee} instanceof LF||(${callee}=${this.slow('callee', object, literal(e.name), callee, site, lookup)})`,
      )
      callArgs.push(object)
    } else {
      site = this.site(e.line, kind, e.callee)
      this.callee(e.callee, callee, site, before)
    }
    before.push(`g=${callee}.js(${this.callArguments(e, callArgs, site, before)})`)
    if (kind === 'call') before.push(`${callee}.plain||${RUN}`)
    else before.push(`c=${callee}.plain||(${callee}.chunk===undefined?undefined:false)`)
    return before.join(',')
  }

  private callee(e: Expression, callee: string, site: number, before: string[]): void {
    const bare = stripParens(e)
    if (bare.type === 'index') {
      const object = this.objectAtom(bare.object, before)
      const key = this.atom(bare.key, before)
      const lookup = this.site(bare.line, 'operation', bare.object)
      before.push(
        `${callee}=${object} instanceof LT?${this.rawGet(object, bare.key, key)}:undefined`,
        `${callee} instanceof LF||(${callee}=${this.slow('callee', object, key, callee, site, lookup)})`,
      )
    } else if (bare.type === 'global') {
      const key = literal(bare.name)
      const lookup = this.site(bare.line, 'operation')
      before.push(
        `${callee}=this.env.getStr(${key},${hashString(bare.name)})`,
        `${callee} instanceof LF||(${callee}=${this.slow('callee', 'this.env', key, callee, site, lookup)})`,
      )
    } else
      before.push(
        `${callee}=${this.expression(e)}`,
        `${callee} instanceof LF||(${callee}=R.callable(S,${callee},${site}))`,
      )
  }

  /** The arguments in order; the last one also sets the call's site. */
  private callArguments(e: CallExpression | MethodExpression, leading: string[], site: number, before: string[]) {
    const args = this.chunk.nanSigns.argumentsOf(e)
    const mark = `S.site=${site}`
    if (args.length === 0) before.push(mark)
    args.forEach((arg, i) => {
      const isLast = i === args.length - 1
      if (isLast && isOpen(arg)) {
        if (arg.type === 'vararg') leading.push(`...(${mark},va)`)
        else {
          const value = this.open(arg)
          const t = this.temp()
          leading.push(`...(${t}=${value},${mark},${t})`)
        }
      } else if (!isLast) leading.push(this.expression(arg))
      else if (arg.type === 'local' || isConstant(arg) || arg.type === 'function')
        leading.push(`(${mark},${this.expression(arg)})`)
      else {
        const value = this.expression(arg)
        const t = this.temp()
        leading.push(`(${t}=${value},${mark},${t})`)
      }
    })
    return leading.join(',')
  }

  /** All values of a list's last expression, as an array. */
  open(e: Expression): string {
    if (e.type === 'vararg') return 'va'
    if (e.type === 'call' || e.type === 'method') return this.call(e, 'open')
    return `[${this.expression(e)}]`
  }

  /** All values of a list, as a new array. */
  protected list(values: Expression[]): string {
    return `[${values.map((e, i) => (i === values.length - 1 && isOpen(e) ? `...${this.open(e)}` : this.expression(e))).join(',')}]`
  }

  private table(e: TableExpression): string {
    const listed = e.items.filter(item => item.key === undefined).map(item => item.value)
    const hashCount = constructorSize(e.items.length - listed.length)
    const last = e.items[e.items.length - 1]
    const isOpened = last !== undefined && last.key === undefined && isOpen(last.value)
    const size = constructorSize(listed.length - (isOpened ? 1 : 0))
    if (e.items.length === 0) return 'new LT(S)'
    if (hashCount === 0) {
      const padding = 'undefined,'.repeat(Math.max(0, size - listed.length))
      if (!isOpened) return `new LT(S,[${listed.map(item => this.expression(item)).join(',')},${padding}])`
      return `R.tableOf(S,${this.list(listed)},${size})`
    }
    const table = this.temp()
    const values = this.temp()
    const steps = [`${table}=new LT(S,R.nils(${size}),${hashCount})`, `${values}=[]`]
    for (const item of e.items) {
      if (item.key === undefined) {
        const open = item === last && isOpened
        steps.push(
          open ? `R.append(${values},${this.open(item.value)})` : `${values}.push(${this.expression(item.value)})`,
        )
      } else if (item.key.type === 'string') {
        const key = `${literal(item.key.value)},${hashString(item.key.value)}`
        steps.push(`${table}.putStr(${key},${this.expression(item.value)})`)
      } else {
        const mark = this.temps
        const key = this.atom(item.key, steps)
        const site = this.site(item.line, 'operation')
        steps.push(`${table}.put(${key},${this.expression(item.value)})||R.badKey(S,${key},${site})`)
        this.temps = mark
      }
    }
    if (listed.length > 0) steps.push(`R.fill(${table},${values})`)
    return `(${steps.join(',')},${table})`
  }
}
