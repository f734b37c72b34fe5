// Random Lua programs for comparing engines: every loop is bounded, every statement may fail inside a pcall, and
// what they print depends on evaluation order, table layout, error texts and line numbers.
//
// Excluded, because nondeterministic or machine-dependent in lua5.1: addresses (`str` instead of tostring where the
// text is used further, `key` where an object would become a key, since that decides a table's order), the sign of NaN
// (`num` around what may negate one; x86 makes negative ones, JavaScript hides it), garbage collection, clock and
// randomness, and the set of libraries (no table of globals becomes a value).

import { type Chance, oneOf } from './chance.ts'
import { chunks, closures, coroutines, errorLevels, loops, richMetatable, sorts, tables } from './random-statements.ts'
import { pattern, stringCall, stringLiteral, subject } from './random-strings.ts'
import {
  BINARY,
  FIELDS,
  FLAT_OPERANDS,
  FLAT_OPERATORS,
  NUMBERS,
  PATTERNS,
  PROLOGUE,
  STRINGS,
  WHOLES_AND_SPACES,
} from './random-words.ts'

/** Statement kinds from number 18 on. */
const FEATURES = [errorLevels, errorLevels, coroutines, richMetatable, closures, loops, tables, sorts, chunks]
const FEATURES_FROM = 18

export class ProgramMaker implements Chance {
  private seed: number
  private locals: string[] = []
  private depth = 0
  private serial = 0
  private loops = 0
  private inVararg = false

  constructor(seed: number) {
    // Neighbouring seeds must give different programs.
    this.seed = Math.imul((seed ^ (seed >>> 16)) | 0, 0x45d9f3b) >>> 0
  }

  /** One whole program. */
  make(): string {
    this.locals = []
    this.serial = 0
    const lines = [...PROLOGUE]
    this.locals.push('t0', 's0', 'n0')
    const count = 4 + this.below(10)
    for (let i = 0; i < count; i++) lines.push(this.guarded())
    lines.push(this.dump())
    const program = lines.join('\n')
    return this.below(4) === 0 ? this.spread(program) : program
  }

  /** The program over more lines, for line numbers in errors. A line must not begin with a parenthesis. */
  private spread(program: string): string {
    return program.replace(WHOLES_AND_SPACES, found => (found === ' ' && this.below(8) === 0 ? '\n' : found))
  }

  below(n: number): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0
    return Math.floor((this.seed / 2 ** 32) * n)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }

  fresh(): string {
    return `v${this.serial++}`
  }

  /** A statement that may fail, mostly inside a pcall. */
  private guarded(): string {
    if (this.below(8) === 0) return this.statement()
    const saved = this.locals.length
    const code = this.inFunction(true, () => this.statement())
    this.locals.length = saved
    return `show(pcall(function(...) ${code}\nend, ${this.leaf()}, ${this.leaf()}))`
  }

  private dump(): string {
    const names = this.locals.slice(-12)
    return `for i, v in pairs({${names.map(name => `${name} = ${name}`).join(', ')}}) do
  if type(v) == "table" then
    local keys = {}
    for k, w in pairs(v) do keys[#keys + 1] = tostring(k) .. "=" .. (type(w) == "table" and "T" or tostring(w)) end
    print(i, #v, table.concat(keys, " "))
  else print(i, v) end
end`
  }

  /** A visible local. */
  local(): string {
    return this.pick(this.locals)
  }

  /** Declares a local of that name. */
  keep(name: string): void {
    this.locals.push(name)
  }

  block(): string {
    const saved = this.locals.length
    const count = 1 + this.below(3)
    const lines: string[] = ['tick()']
    for (let i = 0; i < count; i++) lines.push(this.statement())
    this.locals.length = saved
    return lines.map(line => `  ${line}`).join('\n')
  }

  statement(): string {
    if (this.depth > 3) return `show(${this.expression()})`
    this.depth++
    const code = this.anyStatement()
    this.depth--
    return code
  }

  private anyStatement(): string {
    const kind = this.below(30)
    if (kind >= FEATURES_FROM && kind < FEATURES_FROM + FEATURES.length) return FEATURES[kind - FEATURES_FROM](this)
    switch (kind) {
      case 0:
      case 1:
      case 2: {
        const value = this.expression()
        const name = this.fresh()
        this.locals.push(name)
        return `local ${name} = ${value}`
      }
      case 3: {
        const values = this.list(1 + this.below(3))
        const names = [this.fresh(), this.fresh()]
        this.locals.push(...names)
        return `local ${names.join(', ')} = ${values}`
      }
      case 4:
        return `${this.target()} = ${this.expression()}`
      case 5:
        return `${this.target()}, ${this.target()} = ${this.list(1 + this.below(3))}`
      case 6:
        return `if ${this.expression()} then\n${this.block()}\nelseif ${this.expression()} then\n${this.block()}\nelse\n${this.block()}\nend`
      case 7:
        return this.numericFor()
      case 8:
        return this.genericFor()
      case 9: {
        const name = this.fresh()
        return `local ${name} = 0 while ${name} < ${1 + this.below(4)} do ${name} = ${name} + 1\n${this.block()}\nend`
      }
      case 10:
      case 11: {
        const code = `show(pcall(function(...)\n${this.inFunction(true, () => this.block())}\n  return ${this.list(2)}\nend, ${this.expression()}))`
        return code
      }
      case 12:
      case 13:
        return this.functionStatement()
      case 14:
        return `show(${this.list(1 + this.below(3))})`
      case 15:
        return this.metatable()
      case 16:
        return this.coroutine()
      case 17:
        return `do\n${this.block()}\nend`
      case 27:
        return `show(pcall(function(...) return ${this.library()} end, ${this.leaf()}))`
      case 28:
        return this.comments()
      default:
        return this.tableChange()
    }
  }

  private numericFor(): string {
    const name = this.fresh()
    const step = this.pick(['', ', 1', ', -1', ', 2', ', 0.5'])
    this.locals.push(name)
    this.loops++
    const body = this.block()
    this.loops--
    this.locals.pop()
    return `for ${name} = ${this.below(4)}, ${this.below(5)}${step} do\n${body}\n${this.below(4) === 0 ? 'break ' : ''}end`
  }

  private genericFor(): string {
    const [k, v] = [this.fresh(), this.fresh()]
    const source = oneOf(this, [
      () => `pairs(${this.table()})`,
      () => `ipairs(${this.table()})`,
      () => `string.gmatch(${subject(this)}, ${pattern(this)})`,
      () => `string.gmatch("hello world 12", ${this.pick(PATTERNS)})`,
      () => `next, ${this.table()}`,
      () => `pairs(${this.local()})`,
    ])
    this.locals.push(k, v)
    const body = this.block()
    this.locals.length -= 2
    return `for ${k}, ${v} in ${source} do tick() show(${k}, ${v})\n${body}\nend`
  }

  inFunction(isVararg: boolean, make: () => string): string {
    const { inVararg, loops } = this
    this.inVararg = isVararg
    this.loops = 0
    const code = make()
    this.inVararg = inVararg
    this.loops = loops
    return code
  }

  private functionStatement(): string {
    const name = this.fresh()
    const [a, b] = [this.fresh(), this.fresh()]
    const saved = this.locals.length
    this.locals.push(a, b)
    const isVararg = this.below(2) === 0
    const body = this.inFunction(isVararg, () => `${this.block()}\n  return ${this.list(1 + this.below(2))}`)
    this.locals.length = saved
    this.locals.push(name)
    const call = `show(pcall(${name}, ${this.list(2)}))`
    return `local function ${name}(${a}, ${b}${isVararg ? ', ...' : ''})\n${body}\nend ${call}`
  }

  private metatable(): string {
    const name = this.fresh()
    const event = this.pick([
      '__index',
      '__newindex',
      '__add',
      '__concat',
      '__eq',
      '__lt',
      '__le',
      '__call',
      '__unm',
      '__tostring',
    ])
    const [a, b] = [this.fresh(), this.fresh()]
    this.locals.push(a, b)
    const value = this.inFunction(false, () => this.expression())
    this.locals.length -= 2
    this.locals.push(name)
    return `local ${name} = setmetatable(${this.table()}, {${event} = function(${a}, ${b}) show("${event}", type(${a}), type(${b})) return ${event === '__tostring' ? '"TS"' : `tick() or ${value}`} end})`
  }

  private coroutine(): string {
    const name = this.fresh()
    const a = this.fresh()
    this.locals.push(a)
    const body = this.inFunction(true, () => this.block())
    this.locals.pop()
    return `local ${name} = coroutine.create(function(...) local ${a} = ...\n${body}\n  for i = 1, 2 do show("resumed", coroutine.yield(i, ${a})) end\n  return ${this.expression()} end)
for i = 1, 4 do show(coroutine.status(${name}), coroutine.resume(${name}, i)) end`
  }

  private tableChange(): string {
    const table = this.pick(['t0', ...this.locals])
    return oneOf(this, [
      () => `show(pcall(table.insert, ${table}, ${this.expression()}))`,
      () => `show(pcall(table.remove, ${table}))`,
      () => `show(pcall(table.sort, ${table}))`,
      () => `show(pcall(table.concat, ${table}, ","))`,
      () => `show(pcall(next, ${table}))`,
      () => `t0[#t0 + 1] = ${this.expression()}`,
      () => `t0[key(${this.expression()})] = ${this.expression()}`,
      () => `t0[#t0] = nil`,
    ])
  }

  /** Comments, and expressions where a statement may end. */
  private comments(): string {
    return oneOf(this, [
      () => `--[[ ${this.fresh()}\n]] show(${this.leaf()}) -- rest`,
      () => `--[==[ ]] ]=]\n]==]show(${this.flat()});`,
      () => `local ${this.fresh()} = ${this.flat()}; show(${this.flat()}) --\n`,
      () => `show{${this.flat()}} show"x" show[[y]] (show)(${this.flat()})`,
      () => `do local a, b = ${this.flat()} a, b = b, a show(a, b) return end`,
      () => `show(${stringLiteral(this)}, ${stringLiteral(this)} .. ${stringLiteral(this)})`,
    ])
  }

  private target(): string {
    const local = this.local()
    return this.pick([
      local,
      `t0.${this.pick(FIELDS)}`,
      `t0[${this.below(6)}]`,
      `g${this.below(3)}`,
      `${local}.${this.pick(FIELDS)}`,
    ])
  }

  list(count: number): string {
    const items: string[] = []
    for (let i = 0; i < count; i++) items.push(this.expression())
    if (this.inVararg && this.below(3) === 0) items.push('...')
    return items.join(', ')
  }

  private table(): string {
    const items: string[] = []
    const count = this.below(40) === 0 ? 48 + this.below(8) : this.below(5)
    for (let i = 0; i < count; i++) {
      const value = i < 5 ? this.expression() : this.leaf()
      items.push(
        this.pick([
          value,
          value,
          `${this.pick(FIELDS)} = ${value}`,
          `[${this.below(8)}] = ${value}`,
          `["k${this.below(9)}"] = ${value}`,
        ]),
      )
    }
    return `{${items.join(this.pick([', ', ', ', '; ', ',\n']))}${this.pick(['', '', ',', ';'])}}`.replace(
      /\{[,;]\}/,
      '{}',
    )
  }

  expression(): string {
    if (this.depth > 6) return this.leaf()
    this.depth++
    const code = this.anyExpression()
    this.depth--
    return code
  }

  leaf(): string {
    const local = this.local()
    return this.pick([
      local,
      local,
      this.pick(NUMBERS),
      this.pick(STRINGS),
      'nil',
      'true',
      'false',
      `g${this.below(3)}`,
    ])
  }

  private anyExpression(): string {
    switch (this.below(19)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.leaf()
      case 16:
        return this.library()
      case 17:
        return this.flat()
      case 18:
        return stringCall(
          this,
          () => this.expression(),
          () => this.handler(),
        )
      case 4:
      case 5:
      case 6:
        return `(${this.expression()} ${this.pick(BINARY)} ${this.expression()})`
      case 7:
        return this.pick([`(not ${this.expression()})`, `num(-${this.expression()})`, `(#${this.expression()})`])
      case 8:
        return this.table()
      case 9:
        return `${this.local()}.${this.pick(FIELDS)}`
      case 10:
        return `t0[${this.expression()}]`
      case 11:
        return this.call()
      case 12:
        return this.inVararg ? this.pick(['...', '(...)', 'select("#", ...)']) : this.leaf()
      case 13:
        return `(function(...) return ${this.inFunction(true, () => this.list(2))} end)(${this.list(1)})`
      case 14:
        return `${this.local()}(${this.list(1)})`
      default:
        return `(${this.expression()})`
    }
  }

  /** Operators without parentheses. */
  private flat(): string {
    let text = ''
    const count = 1 + this.below(6)
    for (let i = 0; i < count; i++) {
      if (i > 0) text += ` ${this.pick(FLAT_OPERATORS)} `
      if (this.below(6) === 0) text += this.pick(['-', 'not ', '#', '- -', 'not not ', '-#'])
      text += this.below(6) === 0 ? this.leaf() : this.pick(FLAT_OPERANDS)
    }
    return `num(${text})`
  }

  /** A function that a library function calls. */
  private handler(): string {
    const body = this.inFunction(true, () =>
      this.pick([this.leaf(), `a`, `b`, `a, b`, 'select("#", ...)', 'error("cb")', 'nil', '{}', 'coroutine.yield(a)']),
    )
    return `function(a, b, ...) tick() show(a, b, ...) return ${body} end`
  }

  private library(): string {
    const e = () => this.expression()
    const number = () =>
      this.pick([
        '0',
        '-0.5',
        '1.5',
        '2.5',
        '-3',
        '1e15',
        '2^53',
        '1e300',
        '-1e300',
        '1/0',
        '"7"',
        'nil',
        'n0',
        '10',
        '0.1',
      ])
    return oneOf(this, [
      () => `num(math.${this.pick(['floor', 'ceil', 'abs', 'sqrt', 'frexp', 'modf', 'deg', 'rad'])}(${number()}))`,
      () => `num(math.${this.pick(['fmod', 'mod', 'pow', 'max', 'min', 'ldexp'])}(${number()}, ${number()}))`,
      () => `math.${this.pick(['max', 'min', 'floor', 'nothing'])}(${this.pick(['', e(), '1, 2, 3'])})`,
      () => `num(${number()} ${this.pick(['+', '-', '*', '/', '%', '^'])} ${number()}) .. ""`,
      () => `tostring(${number()}) .. ${number()} * 3`,
      () =>
        `select(${this.pick(['1', '2', '-1', '-2', '0', '"#"', '100', '-100', 'nil', '1.9', '"2"'])}, ${this.list(1 + this.below(3))})`,
      () => `(select(${this.pick(['1', '2', '-1', '"#"'])}, ${this.list(2)}))`,
      () =>
        `unpack({${this.list(1 + this.below(3))}}${this.pick(['', ', 2', ', 0', ', 1, 2', ', -1, 1', ', 1, 4', ', "1"', ', 3, 1', ', 1, 1e6'])})`,
      () =>
        `pcall(${this.pick(['error', 'assert', 'type', 'unpack', 'select', 'tostring', 'setmetatable', 'next', 'rawget', 'string.rep', 'string.sub', 'string.format', 'table.concat', 'math.floor', 'pcall', 'coroutine.resume', 'coroutine.wrap', 'coroutine.status', 'ipairs', 'loadstring', 'tonumber', 'getmetatable', 'string.char', 'table.insert', 'string.gsub', 'xpcall', 'rawset', 'rawequal', 'setfenv', 'newproxy', 'math.max', 'table.remove', 'table.sort', 'string.find', 'string.byte', 'math.ldexp', 'string.len', 'collectgarbage'])}${this.below(5) === 0 ? '' : `, ${this.list(this.below(3) + 1)}`})`,
      () => `type(${e()}) .. ${this.pick(['"x"', '1', 'str(n0)'])}`,
      () => `rawequal(${this.local()}, ${this.local()})`,
      () => `assert(${e()}, ${this.leaf()})`,
      () => `(${this.local()} and ${e()} or ${e()})`,
      () => `function(a, ...) return a, ... end`,
    ])
  }

  private call(): string {
    const e = this.expression()
    return oneOf(this, [
      () => `type(${e})`,
      () => `str(${e})`,
      () => `tonumber(${e})`,
      () => `select(${1 + this.below(3)}, ${e}, ${this.expression()})`,
      () => `rawget(t0, ${e})`,
      () => `rawequal(${e}, ${this.expression()})`,
      () => `unpack(t0)`,
      () => `(s0):sub(${this.below(4)}, ${e})`,
      () => `string.find("hello", ${this.pick(PATTERNS)})`,
      () => `string.gsub("hello", ${this.pick(PATTERNS)}, ${e})`,
      () => `string.match(${e}, ${this.pick(PATTERNS)})`,
      () => `string.format("%s|%5.1f", ${e}, n0)`,
      () => `string.rep(${e}, 3)`,
      () => `math.floor(${e})`,
      () => `math.max(${e}, n0)`,
      () => `pcall(${e}, n0)`,
      () => `setmetatable(${this.table()}, nil)`,
      () => `getmetatable(${e})`,
      () => `string.len(${e})`,
      () => `string.byte(${e}, 1, 2)`,
      () => `assert(${e}, "failed")`,
      () => `error(${e})`,
      () => `#tostring(${e})`,
      () => `${this.local()}:${this.pick([...FIELDS, 'len', 'upper', 'rep'])}(${this.list(1)})`,
    ])
  }
}
