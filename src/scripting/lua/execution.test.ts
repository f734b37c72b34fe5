import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile, type Execution, LuaError, LuaKilled, LuaState, load, openLibraries, start } from './index.ts'

function prepare(source: string, args: string[] = []): Execution {
  const S = new LuaState()
  openLibraries(S)
  S.stringBytesMax = 2 ** 20
  return start(S, load(S, compile(source, '@user_script')), args)
}

function messageOf(execution: Execution): unknown {
  const { error } = execution
  return error instanceof LuaError ? error.value : error?.message
}

/** Resumes until the script ends, at most so many times. */
function finish(execution: Execution, budget = 1000, slicesMax = 1e5): Execution {
  for (let i = 0; i < slicesMax && execution.resume(budget) === 'suspended'; i++);
  return execution
}

test('a script gets its arguments and gives its results', () => {
  const execution = finish(prepare('local a, b = ... return b, a', ['x', 'y']))
  assert.equal(execution.state, 'done')
  assert.deepEqual(execution.result, ['y', 'x'])
})

test('a script that fails tells where', () => {
  const execution = finish(prepare('local t = nil\nreturn t.x'))
  assert.equal(execution.state, 'failed')
  assert.equal(messageOf(execution), "user_script:2: attempt to index local 't' (a nil value)")
})

const ENDLESS = [
  'while true do end',
  'repeat until false',
  'for i = 1, math.huge do end',
  'local function f() return f() end f()',
  'while true do pcall(function() while true do end end) end',
  'local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x',
  'local co = coroutine.wrap(function() while true do end end) co()',
  'table.sort({3, 2, 1, 5, 4}, function() while true do end end)',
  'string.gsub("x", "x", function() while true do end end)',
  'tostring(setmetatable({}, {__tostring = function() while true do end end}))',
  'for k in function() while true do end end do end',
  'load(function() while true do end end)',
  'xpcall(function() error("x") end, function() while true do end end)',
  'return setmetatable({}, {__eq = function() while true do end end}) == setmetatable({}, {__eq = 1})' +
    ' or (function() while true do end end)()',
  'local a = string.rep("a", 30) .. "b" return a:find(string.rep("a*", 30) .. "c")',
  'local a = string.rep("a", 30) return a:gsub(string.rep("a-", 30) .. "c", "")',
  'local a = string.rep("a", 30) return a:match("(.-)(.-)(.-)(.-)(.-)(.-)(.-)(.-)(.-)(.-)(.-)(.-)(.-)(.-)x%1")',
  'local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end return fib(90)',
]

for (const source of ENDLESS) {
  test(`can be killed anywhere: ${source.slice(0, 70)}`, () => {
    const execution = prepare(source)
    for (let i = 0; i < 20; i++) assert.equal(execution.resume(500), 'suspended')
    execution.kill('killed by user')
    assert.equal(execution.resume(500), 'failed')
    assert.ok(execution.error instanceof LuaKilled)
    assert.equal(messageOf(execution), 'killed by user')
  })
}

const GREEDY: [string, RegExp][] = [
  ['return string.rep("x", 2^31 - 1)', /not enough memory/],
  ['return string.rep("abc", 1e9)', /not enough memory/],
  ['local s = "x" while true do s = s .. s end', /not enough memory/],
  ['local s = "x" while true do s = ("%s%s"):format(s, s) end', /not enough memory/],
  ['local s = "x" while true do s = s:gsub("x*", "%0%0") end', /not enough memory/],
  [
    'local s = ("x"):rep(2^10) local t = {} for i = 1, 1025 do t[i] = s end return table.concat(t)',
    /not enough memory/,
  ],
  ['local function f() return 1 + f() end return f()', /stack overflow/],
  ['local function f() return pcall(f) end return select(2, f()) + {}', /arithmetic/],
  ['return table.insert({}, -2^31, 1)', /not enough memory/],
  ['return unpack({}, 1, 1e8)', /too many results to unpack/],
]

for (const [source, message] of GREEDY) {
  test(`ends in an error: ${source.slice(0, 70)}`, () => {
    const execution = finish(prepare(source), 1e6)
    assert.equal(execution.state, 'failed')
    assert.match(String(messageOf(execution)), message)
  })
}

test('a suspended script goes on after an error inside a coroutine was caught', () => {
  const execution = finish(
    prepare(`
      local n = 0
      for i = 1, 50 do
        local co = coroutine.wrap(function() for j = 1, 20 do n = n + 1 end error({}) end)
        pcall(co)
      end
      return n`),
    7,
  )
  assert.equal(execution.result, 1000)
})

test('one prototype serves several states, each with its own globals', () => {
  const prototype = compile('counter = (counter or 0) + 1 return counter', '@x')
  const results = [1, 2].map(() => {
    const S = new LuaState()
    openLibraries(S)
    finish(start(S, load(S, prototype)))
    return finish(start(S, load(S, prototype))).result
  })
  assert.deepEqual(results, [2, 2])
})

test('nothing of JavaScript is in reach', () => {
  const names = ['constructor', '__proto__', 'prototype', 'toString', 'hasOwnProperty', 'length']
  for (const name of names) {
    const execution = finish(prepare(`local t = {} return t["${name}"], ${name}, _G["${name}"], ("x")["${name}"]`))
    assert.deepEqual(execution.result, [undefined, undefined, undefined, undefined], name)
  }
  const source = 'x = "\\"; throw 1; //" local y = [[`$" .. "{process.exit()}`\\u0041\u2028]] return x, #y'
  assert.equal(finish(prepare(source)).state, 'done')
})
