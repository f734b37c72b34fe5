// Random Lua programs for comparing engines: every loop is bounded, every statement may fail inside a pcall, and
// what they print depends on evaluation order, table layout, error texts and line numbers.

const BINARY = ['+', '-', '*', '/', '%', '..', '==', '~=', '<', '<=', '>', '>=', 'and', 'or']
const FIELDS = ['x', 'y', 'name', 'list', 'count', 'value']
const STRINGS = ['""', '"a"', '"abc"', '"10"', '"0x1F"', '" 7 "', '"x y"', '"%d+"', '"hello"']
const NUMBERS = ['0', '1', '2', '3', '5', '10', '-1', '0.5', '2.25', '100', '1e3', '7', '-3', '(1/0)', '1e15']
const PATTERNS = ['"%a"', '"%d+"', '"[a-m]"', '"(.)(.)"', '".-"', '"l*"', '"^h"', '"o$"', '"()"', '"(%w+)"', '"%s*"']

export class ProgramMaker {
  private seed: number
  private locals: string[] = []
  private depth = 0
  private serial = 0
  private loops = 0
  private inVararg = false

  constructor(seed: number) {
    this.seed = seed >>> 0 || 1
  }

  /** One whole program. */
  make(): string {
    this.locals = []
    this.serial = 0
    const lines = [
      'local t0, s0, n0 = {1, 2, 3, x = 4}, "str", 7',
      'local fuel = 300 local function tick() fuel = fuel - 1 if fuel < 0 then error("out of fuel", 0) end end',
      'local function show(...) print(select("#", ...), ...) end',
    ]
    this.locals.push('t0', 's0', 'n0')
    const count = 4 + this.below(10)
    for (let i = 0; i < count; i++) lines.push(this.guarded())
    lines.push(this.dump())
    return lines.join('\n')
  }

  private below(n: number): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0
    return Math.floor((this.seed / 2 ** 32) * n)
  }

  private pick(list: string[]): string {
    return list[this.below(list.length)]
  }

  private fresh(): string {
    return `v${this.serial++}`
  }

  /** A statement that may fail without ending the program, most of the time. */
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

  private block(): string {
    const saved = this.locals.length
    const count = 1 + this.below(3)
    const lines: string[] = ['tick()']
    for (let i = 0; i < count; i++) lines.push(this.statement())
    this.locals.length = saved
    return lines.map(line => `  ${line}`).join('\n')
  }

  private statement(): string {
    if (this.depth > 3) return `show(${this.expression()})`
    this.depth++
    const code = this.anyStatement()
    this.depth--
    return code
  }

  private anyStatement(): string {
    switch (this.below(19)) {
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
    const source = this.pick([
      `pairs(${this.table()})`,
      `ipairs(${this.table()})`,
      `string.gmatch("hello world 12", ${this.pick(PATTERNS)})`,
      `next, ${this.table()}`,
      `pairs(${this.pick(this.locals)})`,
    ])
    this.locals.push(k, v)
    const body = this.block()
    this.locals.length -= 2
    return `for ${k}, ${v} in ${source} do tick() show(${k}, ${v})\n${body}\nend`
  }

  private inFunction(isVararg: boolean, make: () => string): string {
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
    return this.pick([
      `show(pcall(table.insert, ${table}, ${this.expression()}))`,
      `show(pcall(table.remove, ${table}))`,
      `show(pcall(table.sort, ${table}))`,
      `show(pcall(table.concat, ${table}, ","))`,
      `show(pcall(next, ${table}))`,
      `t0[#t0 + 1] = ${this.expression()}`,
      `t0[${this.expression()}] = ${this.expression()}`,
      `t0[#t0] = nil`,
    ])
  }

  private target(): string {
    const local = this.pick(this.locals)
    return this.pick([
      local,
      `t0.${this.pick(FIELDS)}`,
      `t0[${this.below(6)}]`,
      `g${this.below(3)}`,
      `${local}.${this.pick(FIELDS)}`,
    ])
  }

  private list(count: number): string {
    const items: string[] = []
    for (let i = 0; i < count; i++) items.push(this.expression())
    if (this.inVararg && this.below(3) === 0) items.push('...')
    return items.join(', ')
  }

  private table(): string {
    const items: string[] = []
    const count = this.below(5)
    for (let i = 0; i < count; i++) {
      const value = this.expression()
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
    return `{${items.join(', ')}}`
  }

  private expression(): string {
    if (this.depth > 6) return this.leaf()
    this.depth++
    const code = this.anyExpression()
    this.depth--
    return code
  }

  private leaf(): string {
    const local = this.pick(this.locals)
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
    switch (this.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.leaf()
      case 4:
      case 5:
      case 6:
        return `(${this.expression()} ${this.pick(BINARY)} ${this.expression()})`
      case 7:
        return `(${this.pick(['not ', '-', '#'])}${this.expression()})`
      case 8:
        return this.table()
      case 9:
        return `${this.pick(this.locals)}.${this.pick(FIELDS)}`
      case 10:
        return `t0[${this.expression()}]`
      case 11:
        return this.call()
      case 12:
        return this.inVararg ? this.pick(['...', '(...)', 'select("#", ...)']) : this.leaf()
      case 13:
        return `(function(...) return ${this.inFunction(true, () => this.list(2))} end)(${this.list(1)})`
      case 14:
        return `${this.pick(this.locals)}(${this.list(1)})`
      default:
        return `(${this.expression()})`
    }
  }

  private call(): string {
    const e = this.expression()
    return this.pick([
      `type(${e})`,
      `tostring(${e})`,
      `tonumber(${e})`,
      `select(${1 + this.below(3)}, ${e}, ${this.expression()})`,
      `rawget(t0, ${e})`,
      `rawequal(${e}, ${this.expression()})`,
      `unpack(t0)`,
      `(s0):sub(${this.below(4)}, ${e})`,
      `string.find("hello", ${this.pick(PATTERNS)})`,
      `string.gsub("hello", ${this.pick(PATTERNS)}, ${e})`,
      `string.match(${e}, ${this.pick(PATTERNS)})`,
      `string.format("%s|%5.1f", ${e}, n0)`,
      `string.rep(${e}, 3)`,
      `math.floor(${e})`,
      `math.max(${e}, n0)`,
      `pcall(${e}, n0)`,
      `setmetatable(${this.table()}, nil)`,
      `getmetatable(${e})`,
      `string.len(${e})`,
      `string.byte(${e}, 1, 2)`,
      `assert(${e}, "failed")`,
      `error(${e})`,
      `#tostring(${e})`,
      `${this.pick(this.locals)}:${this.pick([...FIELDS, 'len', 'upper', 'rep'])}(${this.list(1)})`,
    ])
  }
}
