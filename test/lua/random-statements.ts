// Random statements, each for one part of the language: errors and their levels, coroutines, metatables, closures,
// loops, tables, chunks compiled at run time.

import { oneOf } from './chance.ts'
import type { ProgramMaker } from './random-program.ts'

const ERROR_VALUES = [
  '"oops"',
  '"oops"',
  '42',
  'nil',
  'false',
  '{code = 1}',
  '""',
  '1.5',
  'x',
  'setmetatable({}, {__tostring = function() return "E" end})',
]
const EVENTS = ['__add', '__sub', '__mul', '__div', '__mod', '__pow', '__concat', '__lt', '__le', '__eq']
const OPERATORS = ['+', '-', '*', '/', '%', '^', '..', '<', '<=', '==', '>', '>=', '~=']
const BOUNDS = [
  '0',
  '1',
  '3',
  '-2',
  '0.5',
  '2.5',
  '"2"',
  '"x"',
  'nil',
  'n0',
  '1e300',
  '-1e300',
  '1/0',
  '-1/0',
  '0/0',
  '{}',
  '10',
]
const STEPS = ['', '', ', 1', ', -1', ', 2', ', 0', ', 0.25', ', -0.5', ', "1"', ', nil', ', 1e300', ', 1/0', ', -1/0']

/** Functions that call one another, of which the last fails, with the error caught in one of many ways. */
export function errorLevels(m: ProgramMaker): string {
  const name = m.fresh()
  const depth = 1 + m.below(4)
  const level = m.pick(['', '', ', 0', ', 1', ', 2', ', 3', ', 4', ', 5', ', "2"', ', nil', ', -1'])
  const lines = [`local ${name}_0 = function(x) ${thrower(m, level)} end`]
  for (let i = 1; i <= depth; i++)
    lines.push(`local function ${name}_${i}(x, ...)\n  ${passOn(m, `${name}_${i - 1}`)}\nend`)
  lines.push(caught(m, `${name}_${depth}`))
  return lines.join('\n')
}

function thrower(m: ProgramMaker, level: string): string {
  const value = m.pick(ERROR_VALUES)
  return m.pick([
    `error(${value}${level})`,
    `error(${value}${level})`,
    `return error(${value}${level})`,
    `local y = x.y.z`,
    `return x + nil`,
    `assert(false, ${value})`,
    `assert(nil)`,
    `return #x .. x`,
    `x()`,
    `return x < {}`,
    `local t = {} t[nil] = x`,
    `string.rep()`,
    `("x"):rep({})`,
    `x:method()`,
    `for i = 1, x do tick() end`,
    `return setmetatable(1, {})`,
    `coroutine.yield(${value})`,
  ])
}

function passOn(m: ProgramMaker, callee: string): string {
  return m.pick([
    `${callee}(x)`,
    `return ${callee}(x)`,
    `return (${callee}(x))`,
    `local r = ${callee}(x, ...) return r`,
    `return ${callee}(x), 1`,
    `return pcall(${callee}, x)`,
    `return select("#", pcall(${callee}, x))`,
    `local t = {${callee}(x)} return #t`,
    `return setmetatable({}, {__index = function(_, k) return ${callee}(k) end}).field`,
    `return setmetatable({}, {__add = ${callee}}) + 1`,
    `return setmetatable({}, {__call = ${callee}})(x)`,
    `return -setmetatable({}, {__unm = function(...) return ${callee}(...) end})`,
    `return string.gsub("ab", ".", ${callee})`,
    `local t = {3, 1, 2} table.sort(t, ${callee}) return t[1]`,
    `for k in ${callee}, x do return k end`,
    `return coroutine.wrap(${callee})(x)`,
    `return coroutine.resume(coroutine.create(${callee}), x)`,
    `return tostring(setmetatable({}, {__tostring = ${callee}}))`,
    `return table.foreach({1}, ${callee})`,
    `return xpcall(function() ${callee}(x) end, function(e) return type(e), e end)`,
    `return xpcall(${callee}, function(e) tick() return ${callee}(e) end)`,
    `local n = 0 return load(function(...) n = n + 1 if n < 4 then return ${callee}(...) end end)`,
    `local o = {m = ${callee}} return o:m()`,
    `local o = {m = ${callee}} o.m(x) return 1`,
    `if ${callee}(x) then return 1 else return 2 end`,
    `while ${callee}(x) do break end`,
  ])
}

function caught(m: ProgramMaker, f: string): string {
  const x = m.leaf()
  return m.pick([
    `show(pcall(${f}, ${x}))`,
    `show(pcall(${f}, ${x}))`,
    `show(xpcall(function() return ${f}(${x}) end, function(e) show("handler", type(e), e) return e, 2 end))`,
    `show(xpcall(${f}, function(e) error("again") end))`,
    `show(xpcall(${f}, ${m.pick(['nil', '1', 'print', 'error', 'tostring', 'type', 'coroutine.yield', '{}'])}))`,
    `show(coroutine.resume(coroutine.create(${f}), ${x}))`,
    `show(pcall(coroutine.wrap(${f}), ${x}))`,
    `show(pcall(coroutine.wrap(function(...) return ${f}(...) end), ${x}))`,
    `show(pcall(pcall, ${f}, ${x}))`,
    `show(pcall(pcall))`,
    `show(select(2, pcall(${f}, ${x})))`,
    `show(pcall(function() local a <const> = 1 end))`.replace(' <const>', ''),
    `${f}(${x})`,
    `show(pcall(error, ${m.pick(ERROR_VALUES.filter(value => value !== 'x'))}, ${m.below(7)}))`,
  ])
}

/** Coroutines that pass values in and out, fail, end, and are resumed at the wrong time. */
export function coroutines(m: ProgramMaker): string {
  const co = m.fresh()
  const yielding = () =>
    m.below(12) === 0
      ? m.inFunction(true, () => m.statement())
      : m.pick([
          `show("in", coroutine.yield(${m.leaf()}, a))`,
          `a = coroutine.yield(a, ...)`,
          `for i = 1, ${m.below(4)} do coroutine.yield(i) end`,
          `show(pcall(coroutine.yield, 1))`,
          `show(pcall(function() return coroutine.yield(2) end))`,
          `show(pcall(table.sort, {3, 1, 2}, function(x, y) coroutine.yield(x) return x < y end))`,
          `show(pcall(string.gsub, "ab", ".", coroutine.yield))`,
          `show(pcall(function() return setmetatable({}, {__index = coroutine.yield}).x end))`,
          `show(pcall(function() for k in coroutine.yield do return k end end))`,
          `show(coroutine.status(${co}), coroutine.running() == ${co})`,
          `show(coroutine.resume(${co}, 1))`,
          `show(coroutine.resume(coroutine.running()))`,
          `coroutine.wrap(function() coroutine.yield(a) show("inner", coroutine.status(${co})) end)()`,
          `for x in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do tick() show(x) end`,
          `local inner = coroutine.wrap(function(...) show(...) local b = coroutine.yield(...) error(b) end) inner(1, a) show(pcall(inner, ${m.pick(ERROR_VALUES.slice(0, 7))}))`,
          `error(${m.pick(ERROR_VALUES.slice(0, 7))})`,
          `return coroutine.yield(3)`,
        ])
  const body = Array.from({ length: 1 + m.below(4) }, () => `  do ${yielding()} end`).join('\n')
  const end = m.pick([
    '',
    'return ...',
    'return a, 2, nil',
    'error({})',
    'return coroutine.yield("last")',
    'local x = nil + 1',
  ])
  const rounds = 1 + m.below(6)
  const arg = m.pick(['i', 'i, nil', '', '"v" .. i, i', 'nil'])
  const drive = m.pick([
    `for i = 1, ${rounds} do show(coroutine.status(${co}), coroutine.resume(${co}${arg && ', '}${arg})) end`,
    `for i = 1, ${rounds} do show(pcall(${co}_w${arg && ', '}${arg})) end`,
  ])
  const made = drive.includes('_w')
    ? `local ${co} local ${co}_w = coroutine.wrap(function(a, ...) ${co} = coroutine.running()\n${body}\n${end} end)`
    : `local ${co} ${co} = coroutine.create(function(a, ...)\n${body}\n${end} end)`
  return `${made}\n${drive}`
}

/** Two tables with one metatable of several events, and operators on them. */
export function richMetatable(m: ProgramMaker): string {
  const [a, b, mt] = [m.fresh(), m.fresh(), m.fresh()]
  const result = () =>
    m.pick([m.leaf(), 'rawget(x, "v")', 'x, y', '', 'error("in event")', 'error({})', '{1, 2}', 'nil', `${m.leaf()}`])
  const handler = (event: string) =>
    `${event} = function(x, y, ...) tick() show("${event}", type(x), type(y), select("#", ...)) return ${result()} end`
  const events = EVENTS.filter(() => m.below(3) === 0).map(handler)
  const index = () =>
    m.pick([
      '',
      `__index = {x = 1, name = "n"}`,
      `__index = function(x, k) tick() show("index", k) return ${result()} end`,
      `__index = "string"`,
      `__index = string`,
      `__index = ${m.local()}`,
      `__index = function(x, k) return rawget(x, k .. k) end`,
    ])
  const newindex = () =>
    m.pick([
      '',
      '__newindex = function(x, k, v) tick() show("newindex", k, v) rawset(x, k, v) end',
      '__newindex = {}',
      `__newindex = ${m.local()}`,
      '__newindex = 5',
      '__newindex = rawset',
    ])
  const others = [
    index(),
    newindex(),
    m.pick(['', `__call = function(x, ...) tick() show("call", ...) return ... end`, '__call = pcall', '__call = 3']),
    m.pick(['', '__unm = function(x, y) return rawequal(x, y) end']),
    m.pick([
      '',
      '',
      '__len = function() return 42 end',
      '__metatable = "locked"',
      '__metatable = false',
      '__tostring = function() return "T" end',
      '__tostring = 1',
      '__tostring = function() return nil end',
    ]),
  ].filter(Boolean)
  const uses = Array.from(
    { length: 2 + m.below(4) },
    () => `show(pcall(function(...) ${use(m, a, b, mt)} end, ${m.leaf()}))`,
  )
  const second = m.pick([
    `setmetatable({v = 2}, ${mt})`,
    `setmetatable({v = 2}, ${mt})`,
    `setmetatable({}, {${m.pick(EVENTS)} = ${mt}.${m.pick(EVENTS)}})`,
    m.leaf(),
  ])
  m.keep(a)
  return `local ${mt} = {${[...events, ...others].join(', ')}}\nlocal ${a}, ${b} = setmetatable({v = 1, 10, 20}, ${mt}), ${second}\n${uses.join('\n')}`
}

function use(m: ProgramMaker, a: string, b: string, mt: string): string {
  const other = m.pick([b, a, m.leaf()])
  const [x, y] = m.below(2) === 0 ? [a, other] : [other, a]
  return m.pick([
    `return ${x} ${m.pick(OPERATORS)} ${y}`,
    `return ${x} ${m.pick(OPERATORS)} ${y}`,
    `return ${x} ${m.pick(OPERATORS)} ${y}`,
    `return "<" .. ${x} .. ${y} .. 1`,
    `return ${a}.${m.pick(['x', 'v', 'name', 'nothing'])}, ${a}[${m.pick(['1', '3', 'nil', '"x"', '0/0', 'key(...)'])}]`,
    `${a}.${m.pick(['x', 'v', 'fresh'])} = ${m.leaf()} return rawget(${a}, "x"), rawget(${a}, "fresh")`,
    `${a}[${m.pick(['3', 'nil', '0/0', '"k"'])}] = ${m.leaf()} return #${a}`,
    `return ${a}(${m.leaf()}, ...)`,
    `return ${a}:${m.pick(['x', 'name', 'rep', 'sub', 'v'])}(${m.leaf()})`,
    `return -${a}, not ${a}, #${a}`,
    `return tostring(${a})`,
    `return getmetatable(${a}) == ${mt}, type(getmetatable(${a}))`,
    `return setmetatable(${a}, ${m.pick(['nil', mt, '{}', '1'])}) == ${a}`,
    `return rawequal(${a}, ${b}), ${a} == ${a}, ${a} ~= ${b}`,
    `table.sort({${a}, ${b}, ${a}})`,
    `return table.concat({${a}, ${b}}, ${a})`,
    `for i = ${a}, 2 do end`,
    `return math.max(${a}, 1)`,
    `return ${a}.x.y.z`,
    `local p = newproxy(true) getmetatable(p).__index = ${a} getmetatable(p).__len = function() return 9 end return p.x, #p, p == p, pcall(function() return p + 1 end)`,
  ])
}

/** Closures that share variables, made in loops. */
export function closures(m: ProgramMaker): string {
  const [list, f, c] = [m.fresh(), m.fresh(), m.fresh()]
  return oneOf(m, [
    () =>
      `local ${list} = {} for i = 1, ${1 + m.below(4)} do local j = i * 2 ${list}[i] = function(x) j = j + (x or 1) i = i + 1 return i, j end end\nfor i, f in ipairs(${list}) do show(f(), (f(${m.leaf()}))) end`,
    () =>
      `local function ${f}(n) local ${c} = n return function() ${c} = ${c} + 1 return ${c} end, function(v) ${c} = v end end\nlocal ${list}, ${c} = ${f}(${m.leaf()}) show(pcall(${list})) ${c}(${m.leaf()}) show(pcall(${list}))`,
    () =>
      `local ${list}, ${c} = {}, 0 repeat local u = ${c} ${list}[#${list} + 1] = function() u = u + 1 return u, ${c} end ${c} = ${c} + 1 until u >= ${m.below(4)}\nfor i = 1, #${list} do show(${list}[i]()) end show(${list}[1]())`,
    () =>
      `local ${list} = {} for k, v in pairs({5, 6, x = 7}) do ${list}[#${list} + 1] = function() v = v .. tostring(k) return v end if k == ${1 + m.below(3)} then break end end\nfor i = 1, #${list} do show(${list}[i](), ${list}[i]()) end`,
    () =>
      `local ${c} = 1 do local ${c} = ${c} + 1 local ${f} = function() return ${c} end ${c} = ${c} * 10 show(${f}(), ${c}) end show(${c})`,
    () =>
      `local function ${f}(n, ...) if n <= 0 then return ... end return ${f}(n - 1, n, ...) end show(${f}(${m.below(20)})) show(select("#", ${f}(${m.below(200)})))`,
    () =>
      `local ${f} ${f} = function(n) tick() ${m.pick(['return', 'local r =', 'show'])}${'('}${m.pick(['n <= 0 and "end" or', 'n > 3 and n or'])} ${f}(n - ${m.pick(['1', '0.5', '"1"'])})) end show(pcall(${f}, ${m.pick(['3', '5', '"4"', m.leaf()])}))`,
    () => {
      const body = m.inFunction(true, () => m.block())
      return `local function ${f}(a, b, ...) local ${list} = {...} ${m.pick(['', 'local arg = arg', 'arg = nil'])} a, b = b, a\n${body}\n  return a, b, #${list}, select("#", ...), ... end\nshow(pcall(${f}, ${m.list(3)}))`
    },
    () =>
      `local function ${f}(...) return type(arg), arg and arg.n, arg and arg[1] end show(${f}(${m.list(2)})) local function ${c}(...) local x = ... return type(arg) end show(${c}(1))`,
  ])
}

/** Numeric loops with unusual bounds, and nested loops with break. */
export function loops(m: ProgramMaker): string {
  const i = m.fresh()
  return oneOf(m, [
    () =>
      `show(pcall(function() local n = 0 for ${i} = ${m.pick(BOUNDS)}, ${m.pick(BOUNDS)}${m.pick(STEPS)} do n = n + 1 show(${i}) if n > ${2 + m.below(4)} then break end end end))`,
    () =>
      `show(pcall(function() local n = 0 for ${i} = ${m.pick(BOUNDS)}, ${m.pick(BOUNDS)}${m.pick(STEPS)} do n = n + 1 show(${i}) if n > ${2 + m.below(4)} then return n, ${i} end end end))`,
    () =>
      `for ${i} = 1, 3 do for j = ${i}, 3 do tick() if j == ${1 + m.below(3)} then break end show(${i}, j) ${i} = ${i} + 0.5 end if ${i} > ${1 + m.below(3)} then break end end`,
    () =>
      `local ${i} = ${m.below(4)} repeat tick() local done = ${i} ${m.pick(['>', '==', '>='])} ${m.below(4)} ${i} = ${i} + 1 if ${i} > 6 then break end until done or ${m.expression()} show(${i})`,
    () =>
      `local ${i} = 0 while true do tick() ${i} = ${i} + 1 if ${i} > ${m.below(5)} then break elseif ${m.expression()} then show(${i}) else show(-${i}) end end`,
    () =>
      `for ${i}, v, w in ${m.pick(['function(s, c) tick() c = (c or 0) + 1 if c <= s then return c, c * 2 end end, 3', 'next, {a = 1}, nil', 'next, {1, 2}, 1', 'ipairs({1, nil, 3})', 'pairs({n0, s0}), 1', 'string.gmatch("a=1, b=2", "(%w)=(%w)")', 'setmetatable({}, {__call = function(_, s, c) if not c then return 1, s end end}), 5', 'nil', '{}', '1, 2', 'next, 5', 'ipairs()', 'coroutine.wrap(function() coroutine.yield(1, 2, 3) coroutine.yield(nil, 5) coroutine.yield(6) end)'])} do tick() show(${i}, v, w) end`,
  ])
}

/** Table functions, and tables with holes. */
export function tables(m: ProgramMaker): string {
  const t = m.fresh()
  const items = Array.from({ length: m.below(9) }, () =>
    m.pick([
      '1',
      '2',
      '3',
      '"a"',
      '"b"',
      'nil',
      'nil',
      '5',
      '2.5',
      'n0',
      'x = 1',
      '[3] = 7',
      '[10] = 1',
      'y = nil',
      '(...)',
    ]),
  ).join(', ')
  const position = () => m.pick(['0', '1', '2', '3', '-1', '7', '1.5', '"2"', 'nil', '100'])
  const steps = Array.from({ length: 1 + m.below(5) }, () =>
    m.pick([
      `show(pcall(table.insert, ${t}, ${m.leaf()}))`,
      `show(pcall(table.insert, ${t}, ${position()}, ${m.leaf()}))`,
      `show(pcall(table.insert, ${t}, 1, 2, 3))`,
      `show(pcall(table.remove, ${t}, ${position()}))`,
      `show(pcall(table.remove, ${t}))`,
      `show(pcall(table.concat, ${t}, ${m.pick(['","', '""', '1', 'nil', '{}'])}, ${position()}, ${position()}))`,
      `show(pcall(table.concat, ${t}, ","))`,
      `show(pcall(unpack, ${t}, ${position()}, ${position()}))`,
      `show(unpack(${t}))`,
      `show(#${t}, table.maxn(${t}), table.getn(${t}))`,
      `show(pcall(table.foreach, ${t}, function(k, v) show(k, v) if v == ${m.leaf()} then return k end end))`,
      `show(pcall(table.foreachi, ${t}, function(k, v) tick() show(k, v) end))`,
      `show(pcall(table.setn, ${t}, 2))`,
      `${t}[#${t} + 1] = ${m.leaf()} show(#${t})`,
      `${t}[#${t}] = nil show(#${t})`,
      `${t}[${1 + m.below(12)}] = ${m.pick(['1', 'nil', '"x"'])} show(#${t})`,
      `for i = 1, ${m.below(20)} do ${t}[${m.pick(['i', '-i', 'i * 2', '"k" .. i', 'i / 2'])}] = ${m.pick(['i', 'nil', 'tostring(i)'])} end show(#${t})`,
      `for k, v in pairs(${t}) do tick() show(k, v) ${m.pick(['', `${t}[k] = nil`, `${t}[k] = 0`])} end`,
      `show(next(${t})) show(pcall(next, ${t}, ${m.pick(['"nokey"', '1', '100', 'nil', '"x"'])}))`,
      `show(pcall(table.sort, ${t}${m.pick(['', ', function(a, b) tick() return a > b end', ', function(a, b) tick() return true end', ', function(a, b) return tostring(a) < tostring(b) end', ', function(a, b) error("cmp") end', ', 1', ', nil', ', function() end'])})) show(unpack(${t}))`,
      `show(rawset(${t}, ${m.pick(['"r"', '1', 'nil', '0/0', '2^53', '1e300', '-0', '"1"', 'true'])}, ${m.leaf()}) == ${t})`,
      `show(rawget(${t}, ${m.pick(['"r"', '1', 'nil', '0/0', '"1"', '1.0'])}))`,
    ]),
  )
  m.keep(t)
  return `local ${t} = {${items}}\n${steps.join('\n')}\nfor k, v in pairs(${t}) do show(k, v) end`
}

/** Sorts numbers with an order function that may be inconsistent. */
export function sorts(m: ProgramMaker): string {
  const t = m.fresh()
  const items = Array.from({ length: m.below(25) }, () =>
    m.pick(['1', '2', '3', '7', '-1', '0.5', '10', '4', '9', '100']),
  )
  const odd = m.below(6) === 0 ? [m.pick(['"a"', 'nil', '{}', '"5"'])] : []
  const order = m.pick([
    'a < b',
    'a > b',
    'a <= b',
    'true',
    'false',
    'a % 3 < b % 3',
    '(a * 7) % 5 > b % 4',
    'nil',
    'n % 2 == 0',
    'n % 3 ~= 0',
    'math.floor(a) < math.floor(b)',
    'a',
  ])
  return `do local ${t}, n = {${[...items, ...odd].join(', ')}}, 0\nshow(pcall(table.sort, ${t}${m.below(4) === 0 ? '' : `, function(a, b) n = n + 1 if n > 500 then error("long", 0) end return ${order} end`})) show(n, unpack(${t})) end`
}

/** Chunks compiled at run time, environments. */
export function chunks(m: ProgramMaker): string {
  const f = m.fresh()
  return oneOf(m, [
    () =>
      `show(loadstring(${quoted(mutated(m))}${m.pick(['', ', "=m"', ', "@file.lua"', ', "a name\\nof two lines"'])}))`,
    () => `show(loadstring(${quoted(soup(m))}, "=s"))`,
    () => `show(loadstring(${quoted(soup(m))}))`,
    () =>
      `local ${f} = assert(loadstring("local a, b = ... return a, b, select('#', ...), " .. ${quoted(m.inFunction(true, () => m.expression()))})) setfenv(${f}, {t0 = t0, s0 = s0, n0 = n0, select = select, string = string, type = type}) show(pcall(${f}, ${m.list(2)}))`,
    () =>
      `local ${f} = {"return ", "1", " + ", ${m.pick(['"2"', '3', 'nil', '{}', '""', '"..."', '"\\n x x"'])}} local i = 0 show(pcall(load, function() i = i + 1 return ${f}[i] end${m.pick(['', ', "=piece"', ', 1', ', {}'])}))`,
    () =>
      `local function ${f}() return g0, t0 end setfenv(${f}, {g0 = ${m.leaf()}, t0 = 5}) show(${f}()) show(getfenv(${f}).g0)`,
    () =>
      `local function ${f}() local e = {show = show} setfenv(1, e) g9 = ${m.leaf()} show(e.g9, g9) return pcall ~= nil end show(${f}()) show(g9)`,
    () => `show(pcall(getfenv, ${m.pick(['1', '2', '3', '-1', '"x"', 'print', '50', 'nil', 'type'])}))`,
    () =>
      `show(pcall(setfenv, ${m.pick(['1', '2', 'print', '"x"', 'function() end', '50', '-1'])}, ${m.pick(['{}', 'nil', '1', 'setmetatable({}, {__index = _G})'])}))`,
    () =>
      `show(pcall(function(...) local e = setmetatable({}, {__index = function(_, k) return k end, __newindex = function(t, k, v) rawset(t, k, v) end}) local f = function() a1 = b1 return a1, c1 end setfenv(f, e) return f() end))`,
  ])
}

const SOUP = [
  'local',
  'function',
  'end',
  'if',
  'then',
  'else',
  'elseif',
  'while',
  'do',
  'for',
  'in',
  'repeat',
  'until',
  'return',
  'break',
  'nil',
  'true',
  'not',
  'and',
  'or',
  'a',
  'b',
  'f',
  '1',
  '"s"',
  '[[l]]',
  '(',
  ')',
  '{',
  '}',
  '[',
  ']',
  '=',
  '==',
  '~=',
  '<',
  '+',
  '-',
  '..',
  '...',
  ',',
  ';',
  ':',
  '.',
  '#',
  '~',
  '"open',
  '--c',
  '--[[',
  '0x',
  '1e',
  '3..2',
  '$',
  '\\',
  '\n',
  "'x",
  '[=',
  '1..2',
  '"\\300"',
  '"a\nb"',
  '[==[ x ]=]',
]

function soup(m: ProgramMaker): string {
  const start = m.pick([
    '',
    'x = ',
    'return ',
    'local a = ',
    'f(',
    'if a then ',
    'for i = 1, 2 do ',
    'function f() ',
    'a.b:c',
  ])
  return start + Array.from({ length: 1 + m.below(6) }, () => m.pick(SOUP)).join(m.pick([' ', ' ', '\n']))
}

/** A statement with a token deleted, duplicated or replaced. */
function mutated(m: ProgramMaker): string {
  const tokens = m.inFunction(true, () => m.statement()).match(/"[^"\n]*"|\w+|\s+|[^\w\s]/g) ?? []
  const at = m.below(tokens.length)
  const found = tokens[at]
  tokens[at] = m.pick(['', `${found} ${found}`, m.pick(SOUP), ` ${m.pick(SOUP)} ${found}`])
  return tokens.join('')
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"\n\r\0]/g, c => (c === '\n' ? '\\n' : c === '\r' ? '\\r' : c === '\0' ? '\\0' : `\\${c}`))}"`
}
