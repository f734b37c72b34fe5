import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCorpus } from '../../../test/lua/corpus-runner.ts'

/** A program's output, which must be the same with and without hoisting. */
function printed(program: string): string {
  const out = runCorpus(program, 1e9, true)
  // A chunk that names setfenv has no hoisted functions.
  assert.equal(runCorpus(`${program}\nlocal _ = setfenv`, 1e9, true), out)
  for (const budget of [1, 7]) assert.equal(runCorpus(program, budget, true), out)
  return out.replace(/^== \d+\n/, '')
}

test('functions that hold on to nothing call each other, themselves and what is named like them', () => {
  const program = `
    local function one(x) return x + 1 end
    local two = function(x) return one(one(x)) end
    local function count(n) if n == 0 then return 0 end return 1 + count(n - 1) end
    local one2, rest, more = function() return 'first' end, (function() return 'a', 'b' end)()
    do local function one() return 'inner' end print(one()) end
    for i = 1, 2 do local function double(y) return y * 2 end print(i, double(i)) end
    print(one(1), two(1), count(50), one2(), rest, more)`
  assert.equal(printed(program), 'inner\n1\t2\n2\t4\n2\t3\t50\tfirst\ta\tb\n')
})

test('a function that is a value is another one each time', () => {
  const program = `
    local made = {}
    for i = 1, 2 do
      local function f() return 1 end
      made[i] = f
    end
    print(made[1] == made[2], made[1]() + made[2]())
    local g = function() end
    g = g
    print(g == g)`
  assert.equal(printed(program), 'false\t2\ntrue\n')
})

test('what a function holds on to is its own', () => {
  const program = `
    local function adder(n)
      local function add(x) return x + n end
      return add(1)
    end
    print(adder(1), adder(10))
    local total = 0
    local function note(x) total = total + x end
    note(2) note(3)
    print(total)`
  assert.equal(printed(program), '2\t11\n5\n')
})

test('what a function holds on to reaches it by way of whoever calls it', () => {
  const program = `
    local total, calls = 0, {}
    local function add(x) total = total + x return total end
    local function twice(x) add(x) return add(x) end
    local function down(n) if n == 0 then return total end add(n) return down(n - 1) end
    for i = 1, 3 do
      local function plus(...) return i + select('#', ...), ... end
      local function deep(x) return (function() return plus(x, twice(i)) end)() end
      calls[i] = function(x) return deep(x) end
    end
    total = 100
    print(calls[2]('a'))
    print(calls[3]())
    total = 0
    print(down(4), twice(1))
    repeat local n = total local function big() return n > 20 end add(5) until big()
    print(total)
    local t = {}
    local function fill(k, ...) t[k] = ... if k < 3 then return fill(k + 1, ...) end return #t, ... end
    print(fill(1, 'x', nil))`
  assert.equal(printed(program), '4\ta\t104\n5\tnil\t110\n10\t12\n27\n3\tx\tnil\n')
})

test('errors in functions that run straight name the line and the caller that stood there', () => {
  const program = `
    local function bad(x) return x.y.z end
    local function middle(x) local r = bad(x) return r end
    local function tail(x) return bad(x) end
    local function told() error('told', 2) end
    local function outer() told() end
    print(pcall(function() middle({}) end))
    print(pcall(function() tail({}) end))
    print(pcall(function()
      outer() end))
    print(pcall(function() local function none() end none().x = 1 end))`
  assert.match(
    printed(program),
    /:2: attempt to index field 'y'.*\n.*:2: attempt.*\n.*:6: told\n.*:11: attempt to index/,
  )
})

test('a tower of functions, and one that does not end, go as deep as Lua does', () => {
  const tower = ['local function f0() return 0 end']
  for (let i = 1; i < 50; i++) tower.push(`local function f${i}() return 1 + f${i - 1}() end`)
  assert.equal(printed(`${tower.join('\n')}\nprint(f49())`), '49\n')
  const endless = `
    local function leaf(n) return n + 1 end
    local function deeper(n) return 1 + deeper(leaf(n)) end
    local ok, why = pcall(function() deeper(0) end)
    print(ok, why:match('stack overflow'))`
  assert.equal(printed(endless), 'false\tstack overflow\n')
})
