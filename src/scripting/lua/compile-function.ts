// Functions and statements as JavaScript source: every Lua function becomes a generator function of the chunk, with its
// captured variables as leading parameters. A closure is a plain function that calls it: creating a generator function
// per closure is expensive (each has a prototype, and each prototype a shape).
//
//   const F2=function*(l1, l3, l4){...}                        l1 is captured
//   new LF(function(l3,l4){return F2.call(this,l1,l3,l4)},...)   the closure
//
// A hoisted function (hoisted.ts) has one LuaFunction per chunk; a non-suspending one is no generator:
//
//   const F3=function(l1,l6){...};const K5=new LF(F3,true,CH,E)     the main function sets E, its environment, on entry
//
// The frame of a running function, two slots in the current thread's frames:
//
//   frames  [ ... | site of the call | LuaFunction | ... ]
//                   ^d = S.depth while it runs
//
// Always: a function leaves S.depth as it found it unless it throws; a protected call restores it.

import type { Expression, FunctionBody, LocalVariable, Statement, StopStatement, Target } from './ast.ts'
import { isOpen } from './ast.ts'
import { declaration, hoistedName, isBoxed, isConstant, literal, localName, localSlot, stripParens } from './code.ts'
import { type ChunkContext, ExpressionCompiler, RUN } from './compile-expression.ts'
import { numberConstant } from './fold.ts'
import { hashString } from './table.ts'

const FRAME = 'S.frames[d]=S.site;S.frames[d+1]=this;'
const ENTER = `const d=S.depth+2;S.depth=d;if(d>S.limit)yield S.deepen(d);${FRAME}if(--S.budget<0){yield R.suspend(S);R.resumed(S)}`
const ENTER_NON_SUSPENDING = `const d=S.depth+2;S.depth=d;if(d>S.limit)S.deepen(d);${FRAME}S.budget--;`
/** 'hoisted' and 'non-suspending': see hoisted.ts. */
type FunctionKind = 'closure' | 'hoisted' | 'non-suspending'

const ELSEIF_NESTING_MAX = 20

/** A JavaScript expression for the function; its declarations are added to `chunk.functions`. */
export function functionSource(body: FunctionBody, chunk: ChunkContext, kind: FunctionKind = 'closure'): string {
  const code = new FunctionCompiler(chunk).source(body, kind)
  const name = `F${chunk.functions.length}`
  chunk.functions.push(`const ${name}=${code};\n`)
  const captured = capturedSlots(body, chunk)
  if (captured.length === 0 || kind !== 'closure') return name
  const parameters = body.parameters.map(parameterName)
  const passed = body.isVararg ? [...parameters, 'va'] : parameters
  const taken = body.isVararg ? [...parameters, '...va'] : parameters
  return `function(${taken.join(',')}){return ${name}.call(this,${[...captured, ...passed].join(',')})}`
}

/** The JavaScript variables passed to a function before its parameters. */
function capturedSlots(body: FunctionBody, chunk: ChunkContext): string[] {
  return [...chunk.hoisted.capturesOf(body)].map(localSlot)
}

/** A boxed parameter arrives under another name. */
function parameterName(variable: LocalVariable): string {
  return isBoxed(variable) ? `p${variable.id}` : localSlot(variable)
}

class FunctionCompiler extends ExpressionCompiler {
  private labels = 0

  constructor(chunk: ChunkContext) {
    super(chunk)
  }

  source(body: FunctionBody, kind: FunctionKind): string {
    const captured = capturedSlots(body, this.chunk)
    const parameters = [...captured, ...body.parameters.map(parameterName)]
    if (body.isVararg) parameters.push(captured.length === 0 || kind !== 'closure' ? '...va' : 'va')
    let code = this.block(body.body)
    if (body.argTable !== undefined)
      code = `${declaration(body.argTable, body.usesVararg ? undefined : 'R.argTable(S,va)')}${code}`
    for (const parameter of body.parameters)
      if (isBoxed(parameter)) code = `${declaration(parameter, parameterName(parameter))}${code}`
    let temps = body.body.some(statement => statement.type === 'stop') ? 'let dl=0,c,g' : 'let c,g'
    for (let i = 0; i < this.tempsMax; i++) temps += `,t${i}`
    // Passing on arguments costs a loop round for every 16 of them.
    const weight = body.isVararg ? 'S.budget-=va.length>>>4;' : ''
    const word = kind === 'non-suspending' ? 'function' : 'function*'
    const enter = kind === 'non-suspending' ? ENTER_NON_SUSPENDING : ENTER
    const before = body.parent === undefined ? `${this.environment()}${weight}` : weight
    return `${word}(${parameters.join(',')}){${before}${enter}${temps};\n${code}S.depth=d-2;return NOTHING}`
  }

  /** Code of the main function that sets the environment of hoisted functions. */
  private environment(): string {
    const names = this.chunk.hoistedNames
    if (names.length === 0) return ''
    return `if(E!==this.env){E=this.env;${names.map(name => `${name}.env=E;`).join('')}}`
  }

  /** Declares a hoisted function at chunk level. */
  private hoist(variable: LocalVariable, body: FunctionBody): void {
    const { chunk } = this
    const isNonSuspending = chunk.hoisted.isNonSuspending(variable)
    const name = hoistedName(variable)
    const made = functionSource(body, chunk, isNonSuspending ? 'non-suspending' : 'hoisted')
    chunk.functions.push(`const ${name}=new LF(${made},${isNonSuspending},CH,E);\n`)
    chunk.hoistedNames.push(name)
  }

  private checkBudget(line: number): string {
    return `if(--S.budget<0){yield R.suspend(S,${this.site(line, 'operation')});R.resumed(S)}`
  }

  private block(list: Statement[]): string {
    let code = ''
    for (const statement of list) {
      this.temps = 0
      code += this.statement(statement)
    }
    return code
  }

  private statement(s: Statement): string {
    switch (s.type) {
      case 'local':
        return this.local(s.variables, s.values)
      case 'localfunction': {
        if (this.isHoisted(s.variable)) return this.begin(s.variable, s.variable.initial)
        const made = this.expression({ type: 'function', body: s.body })
        return `${declaration(s.variable)}${localName(s.variable)}=${made};\n`
      }
      case 'assign':
        return s.targets.length === 1 && s.values.length === 1
          ? this.assignOne(s.targets[0], s.values[0], s.line)
          : this.assignMany(s.targets, s.values, s.line)
      case 'call':
        return `${this.call(s.call, 'statement')};\n`
      case 'do':
        return `{${this.block(s.body)}}\n`
      case 'while':
        return `while(${this.condition(s.condition)}){${this.block(s.body)}${this.checkBudget(s.line)}}\n`
      case 'repeat': {
        const body = this.block(s.body)
        this.temps = 0
        return `for(;;){${body}if(${this.condition(s.condition)})break;${this.checkBudget(s.line)}}\n`
      }
      case 'if':
        return this.ifChain(s.clauses)
      case 'fornum':
        return this.forNumber(s)
      case 'forin':
        return this.forIn(s)
      case 'return':
        return this.returns(s.values)
      case 'break':
        return 'break;\n'
      case 'stop':
        return this.stop(s)
    }
  }

  /** Calls the debugger; dl is the line of the function's last stop. */
  private stop({ line, locals, again }: StopStatement): string {
    const values = locals.map(variable => `[${literal(variable.name)},${localName(variable)}]`)
    const hook = `if(CH.hook.line(${line},d,this,()=>[${values.join(',')}])){yield R.suspend(S,${this.site(line, 'operation')});R.resumed(S);CH.hook.resumed()}`
    return again ? `dl=${line};${hook}\n` : `if(dl!==${line}){dl=${line};${hook}}\n`
  }

  private ifChain(clauses: { condition: Expression | undefined; body: Statement[] }[]): string {
    if (clauses.length <= ELSEIF_NESTING_MAX) {
      return `${clauses
        .map(({ condition, body }) => {
          this.temps = 0
          return condition === undefined
            ? `{${this.block(body)}}`
            : `if(${this.condition(condition)}){${this.block(body)}}`
        })
        .join('else ')}\n`
    }
    // A long elseif chain stays flat: nesting would overflow the stack of JavaScript's parser.
    const label = `b${this.labels++}`
    const parts = clauses.map(({ condition, body }) => {
      this.temps = 0
      const test = condition === undefined ? '' : `if(${this.condition(condition)})`
      return `${test}{${this.block(body)}break ${label}}`
    })
    return `${label}:{${parts.join('\n')}}\n`
  }

  private local(variables: LocalVariable[], values: Expression[]): string {
    const last = values[values.length - 1]
    if (
      values.length > 0 &&
      values.length <= variables.length &&
      isOpen(last) &&
      !(values.length === variables.length)
    ) {
      let code = ''
      for (let i = 0; i < values.length - 1; i++) code += this.begin(variables[i], values[i])
      const list = this.open(last)
      const t = this.temp()
      code += `${t}=${list};`
      for (let i = values.length - 1; i < variables.length; i++)
        code += declaration(variables[i], `${t}[${i - values.length + 1}]`)
      return `${code}\n`
    }
    let code = ''
    for (let i = 0; i < Math.max(variables.length, values.length); i++) {
      if (i >= variables.length) code += `${this.expression(values[i])};`
      else code += this.begin(variables[i], values[i])
    }
    return `${code}\n`
  }

  /** Declares a local, unless it is a hoisted function. */
  private begin(variable: LocalVariable, value: Expression | undefined): string {
    if (value?.type !== 'function' || !this.isHoisted(variable))
      return declaration(variable, value === undefined ? undefined : this.expression(value))
    this.hoist(variable, value.body)
    return ''
  }

  // Assignment.

  private assignOne(target: Target, value: Expression, line: number): string {
    if (target.type === 'local') return `${localName(target.variable)}=${this.expression(value)};\n`
    const before: string[] = []
    const place = this.place(target, before, false)
    const isSimple = isConstant(value) || value.type === 'local'
    const code = isSimple ? this.expression(value) : this.intoTemp(value, before)
    return `${before.map(step => `${step};`).join('')}${this.store(target, place, code, line)}`
  }

  private assignMany(targets: Target[], values: Expression[], line: number): string {
    const before: string[] = []
    const places = targets.map(target => this.place(target, before, true))
    const codes: string[] = []
    const last = values[values.length - 1]
    const openAt = values.length < targets.length && isOpen(last) ? values.length - 1 : -1
    values.forEach((value, i) => {
      if (i !== openAt) codes.push(this.intoTemp(value, before))
    })
    if (openAt >= 0) {
      const list = this.open(last)
      const t = this.temp()
      before.push(`${t}=${list}`)
      for (let i = openAt; i < targets.length; i++) codes.push(`${t}[${i - openAt}]`)
    }
    let code = before.map(step => `${step};`).join('')
    for (let i = targets.length - 1; i >= 0; i--)
      code += this.store(targets[i], places[i], codes[i] ?? 'undefined', line)
    return code
  }

  /** Evaluates the table and key of a target. */
  private place(target: Target, before: string[], copies: boolean): { object: string; key: string } {
    if (target.type === 'global') return { object: 'this.env', key: literal(target.name) }
    if (target.type === 'local') return { object: '', key: '' }
    const evaluate = (e: Expression) => (copies && e.type === 'local' ? this.intoTemp(e, before) : this.atom(e, before))
    const object = isConstant(stripParens(target.object))
      ? this.intoTemp(target.object, before)
      : evaluate(target.object)
    return { object, key: evaluate(target.key) }
  }

  private store(target: Target, place: { object: string; key: string }, value: string, line: number): string {
    if (target.type === 'local') return `${localName(target.variable)}=${value};\n`
    const { object, key } = place
    const site = this.site(line, 'operation', target.type === 'index' ? target.object : undefined)
    const slow = `${this.slow('setIndex', object, key, value, site)};\n`
    if (target.type === 'global') return `if(!this.env.putStr(${key},${hashString(target.name)},${value}))${slow}`
    const put =
      target.key.type === 'string'
        ? `${object}.putStr(${key},${hashString(target.key.value)},${value})`
        : `${object}.put(${key},${value})`
    return `if(!(${object} instanceof LT&&${put}))${slow}`
  }

  // Loops.

  private forNumber(s: Extract<Statement, { type: 'fornum' }>): string {
    const id = s.variable.id
    const [i, limit, step] = [`i${id}`, `n${id}`, `s${id}`]
    const constantStep = s.step === undefined ? 1 : numberConstant(s.step)
    const stepCode = s.step === undefined ? '1' : this.expression(s.step)
    let code = `{let ${i}=${this.expression(s.start)},${limit}=${this.expression(s.limit)},${step}=${stepCode};`
    const unknown = [
      [i, s.start],
      [limit, s.limit],
      [step, s.step],
    ].filter(([, e]) => e !== undefined && !this.isNumber(e as Expression))
    if (unknown.length > 0) {
      const site = this.site(s.line, 'operation')
      const test = unknown.map(([name]) => `typeof ${name}!=="number"`).join('||')
      code += `if(${test})[${i},${limit},${step}]=R.forNumbers(S,${i},${limit},${step},${site});`
    }
    // Lua subtracts the step before the first round adds it, which may change the last digit.
    const start = numberConstant(s.start)
    const isExact = start !== undefined && constantStep !== undefined && start - constantStep + constantStep === start
    if (!isExact || Object.is(start, -0)) code += `${i}=${i}-${step}+${step};`
    const up = `${i}<=${limit}`
    const down = `${i}>=${limit}`
    const test = constantStep === undefined ? `${step}>0?${up}:${down}` : constantStep > 0 ? up : down
    const body = this.block(s.body)
    const advance = constantStep === 1 ? `${i}++` : `${i}+=${step}`
    return `${code}for(;${test};${advance}){${declaration(s.variable, i)}${body}${this.checkBudget(s.line)}}}\n`
  }

  private forIn(s: Extract<Statement, { type: 'forin' }>): string {
    const id = s.variables[0].id
    const [f, state, control, walker] = [`f${id}`, `s${id}`, `c${id}`, `w${id}`]
    const names = s.variables.map(localName)
    let code = `{let [${f},${state},${control}]=${this.list(s.values)};`
    const site = this.chunk.sites.push({ line: s.line, what: 'local', name: '(for generator)', kind: 'call' }) - 1
    code += `const ${walker}=R.walker(S,${f},${state},${control});if(${walker}===undefined)${f}=R.iterator(S,${f},${site});`
    code += `for(;;){${s.variables.map(variable => declaration(variable)).join('')}`
    const [first, second] = names
    code += `if(${walker}!==undefined){if(!${walker}.next())break;${first}=${walker}.key;`
    code += `${second === undefined ? '' : `${second}=${walker}.value;`}}else{S.site=${site};S.enterC();`
    code += `g=${f}.js(${state},${control});${f}.plain||${RUN};S.cCalls--;`
    if (names.length === 1) code += `${first}=Array.isArray(g)?g[0]:g;`
    else code += `if(Array.isArray(g)){${names.map((name, i) => `${name}=g[${i}];`).join('')}}else ${first}=g;`
    code += `if(${first}===undefined)break;${control}=${first};}`
    return `${code}${this.block(s.body)}${this.checkBudget(s.line)}}}\n`
  }

  // Return.

  private returns(values: Expression[]): string {
    const leave = 'S.depth=d-2;'
    if (values.length === 0) return `${leave}return NOTHING;\n`
    const [only] = values
    if (values.length > 1) return `g=${this.list(values)};${leave}return g;\n`
    if (only.type === 'vararg') return `${leave}return va;\n`
    if (only.type === 'call' || only.type === 'method') {
      const plain = this.startPlainCall(only, 'tail')
      if (plain !== undefined) return `${plain};${leave}return g;\n`
      const start = this.startCall(only, 'tail')
      // Every 64th nested tail call unwinds the frames below, so that endless tail calls need constant stack.
      const bounce = 'if(c===false&&(d&127)===126){S.depth=d-2;S.tail=g;return TAIL}'
      return `${start};if(c!==true){${bounce}${RUN}}${leave}return g;\n`
    }
    if (isConstant(only) || only.type === 'local') return `${leave}return ${this.expression(only)};\n`
    return `g=${this.expression(only)};${leave}return g;\n`
  }
}
