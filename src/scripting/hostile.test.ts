import assert from 'node:assert/strict'
import { type Conversation, conversation } from '../../test/harness/conversation.ts'
import { RespError } from '../../test/harness/resp.ts'

// Malicious scripts: each fails or has no effect, and the server answers the next command.

const run = (script: string) => ['EVAL', script, 1, 'k', 'argument']

async function refuses(c: Conversation, script: string, message: RegExp): Promise<void> {
  await c.expectError(run(script), message)
  await c.expect('PING', 'PONG')
}

const READ_ONLY = /^ERR .*Attempt to modify a readonly table/
const NOT_THERE = /^ERR .*(Script attempted to access nonexistent global variable|attempt to (call|index))/

const ESCAPES: [string, RegExp][] = [
  ["getmetatable('').__index = function() return 'mine' end", READ_ONLY],
  ["getmetatable('').__index.upper = nil", READ_ONLY],
  ["rawset(getmetatable(''), '__index', {})", READ_ONLY],
  ["setmetatable(getmetatable(''), {})", READ_ONLY],
  ['setmetatable(_G, {})', READ_ONLY],
  ['getmetatable(_G).__index = function() return 1 end', READ_ONLY],
  ["rawset(_G, 'x', 1)", READ_ONLY],
  ["_G['x'] = 1", READ_ONLY],
  ["redis.call = function() return 'mine' end", READ_ONLY],
  ["rawset(redis, 'call', 1)", READ_ONLY],
  ["table.insert(redis, 'x')", READ_ONLY],
  ['string.upper = nil', READ_ONLY],
  ['cjson.encode = nil', READ_ONLY],
  ['table.sort(math, function() return true end) math.x = 1', READ_ONLY],
  ['local f = setfenv(function() x = 1 return x end, {}) f() return x', NOT_THERE],
  ["return loadstring(string.dump(function() return 'bytecode' end))()", NOT_THERE],
  ["return loadstring('\\27Lua' .. string.rep('\\0', 100))()", NOT_THERE],
  ["return load(coroutine.wrap(function() coroutine.yield('\\27Lua') end))()", NOT_THERE],
  ["return os.execute('true')", NOT_THERE],
  ["return io.open('/etc/passwd')", NOT_THERE],
  ["return require('os')", NOT_THERE],
  ["return dofile('/etc/passwd')", NOT_THERE],
  ["return loadfile('/etc/passwd')", NOT_THERE],
  ['return debug.getregistry()', NOT_THERE],
  ['return package.loaded', NOT_THERE],
  ['print(1)', NOT_THERE],
  ['return globalThis', NOT_THERE],
  ['return process', NOT_THERE],
  ["return Function('return 1')()", NOT_THERE],
  ['return S', NOT_THERE],
  ["return ('').constructor('return process')()", NOT_THERE],
  ["return ({}).constructor.constructor('return process')()", NOT_THERE],
  ["return redis.call.constructor('return process')()", NOT_THERE],
  ["return (function() end).constructor('return process')()", NOT_THERE],
  ["return (1).constructor('x')", NOT_THERE],
  ['return (true).constructor', NOT_THERE],
  ['return (nil).constructor', NOT_THERE],
  ["error({constructor = 'x', err = nil})", /^ERR unknown error/],
  ["error(setmetatable({}, {__index = function() error('again') end}))", /^ERR unknown error/],
]

conversation(
  'nobody gets out of the sandbox',
  async c => {
    for (const [script, message] of ESCAPES) await refuses(c, script, message)
    await c.expect(run("return string.upper('still') .. tostring(1)"), 'STILL1')
  },
  {
    oursOnly: 'redis-server 7.2.4 lets scripts change the metatable of strings, and dies of an error table without err',
    resp: 2,
  },
)

const NAMES = ['constructor', '__proto__', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'length', 'call', 'js']

conversation(
  "the names of the host's own fields are names like others",
  async c => {
    const quoted = NAMES.map(name => `'${name}'`).join(',')
    const script = `
    local found = {}
    local decoded = cjson.decode('{"__proto__": {"x": 1}, "constructor": {"y": 2}}')
    local proxy = coroutine.create(function() end)
    for _, name in ipairs({${quoted}}) do
      local looked = {KEYS[name], ARGV[name], ({})[name], ('')[name], (decoded.constructor)[name], cmsgpack.unpack(cmsgpack.pack({}))[name]}
      for i in pairs(looked) do found[#found + 1] = i .. ' ' .. name end
      local t = {}
      t[name] = name
      if t[name] ~= name then found[#found + 1] = 'own ' .. name end
      if pcall(function() return redis.call[name] end) then found[#found + 1] = 'function ' .. name end
      if pcall(function() return proxy[name] end) then found[#found + 1] = 'thread ' .. name end
    end
    if decoded.x ~= nil or decoded.constructor.y ~= 2 or decoded.__proto__.x ~= 1 then found[#found + 1] = 'cjson' end
    return found`
    await c.expect(run(script), [])
    for (const name of NAMES) {
      await c.expect(['SET', name, 'v'], 'OK')
      await c.expect(run(`return redis.call('GET', '${name}')`), 'v')
      await c.expectError(run(`return redis.call('${name}', 'k')`), /Unknown Redis command/)
    }
  },
  { resp: 2 },
)

const GREEDY: [string, RegExp][] = [
  ["return string.rep('x', 2 ^ 31 - 1)", /^ERR .*(not enough memory|resulting string too large)/],
  ["local s = 'x' while true do s = s .. s end", /^ERR .*not enough memory/],
  [
    "local t = {} local s = string.rep('x', 2 ^ 24) for i = 1, 64 do t[i] = s end return table.concat(t)",
    /^ERR .*not enough memory/,
  ],
  ["return string.format('%99999d', 1)", /^ERR .*invalid format/],
  ['local function f() return 1 + f() end return f()', /^ERR .*stack overflow/],
  ['local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x', /^ERR .*loop in gettable/],
  ['local t = setmetatable({}, {__index = function(t, k) return t[k] end}) return t.x', /^ERR .*C stack overflow/],
  ['local f f = function() return pcall(f) end f() error("ended")', /^ERR .*ended/],
  ['return tostring(setmetatable({}, {__tostring = function(t) return tostring(t) end}))', /^ERR .*C stack overflow/],
  ["return string.gsub('x', 'x', function() return string.gsub(1) end)", /^ERR .*bad argument/],
  ['local t = {} for i = 1, 10000 do t = {t} end return cjson.encode(t)', /^ERR .*Cannot serialise, excessive nesting/],
  ["return cjson.decode(string.rep('[', 100000))", /^ERR .*Found too many nested data structures/],
  ["return loadstring('return ' .. string.rep('(', 10000) .. '1' .. string.rep(')', 10000))()", NOT_THERE],
  ['return #{unpack({}, 1, 1e8)}', /^ERR .*too many results to unpack/],
  ["return redis.call(unpack({'DEL', 'k'}, 1, 1e7))", /^ERR .*too many results to unpack/],
  ["return string.find(string.rep('a', 300000), string.rep('(a)', 40))", /^ERR .*too many captures/],
  ["return string.find('x', 'x%')", /^ERR .*malformed pattern/],
  ['local co co = coroutine.wrap(function() co() end) co()', /^ERR .*cannot resume/],
  [
    'local function nest(n) if n == 0 then error("deep") end return coroutine.wrap(nest)(n - 1) end nest(1000)',
    /^ERR .*(C stack overflow|deep)/,
  ],
  [
    "table.sort({3, 1, 2, 5, 4, 7, 6}, function() return true end) error('ended')",
    /^ERR .*(invalid order function|attempt to|ended)/,
  ],
  ['return newproxy(true).x', /^ERR .*attempt to index/],
  [
    "getmetatable(newproxy(true)).__gc = function() redis.call('SET', 'collected', 1) end collectgarbage() error('ended')",
    /^ERR .*ended/,
  ],
]

conversation(
  'a script that wants too much gets an error',
  async c => {
    for (const [script, message] of GREEDY) await refuses(c, script, message)
    await c.expect('EXISTS collected', 0)
  },
  { oursOnly: 'a server in C gives as much memory as there is, and collects', resp: 2, over: 'in process' },
)

const ENDLESS = [
  'while true do end',
  'while true do pcall(function() while true do end end) end',
  'while true do pcall(error) end',
  'while true do xpcall(function() while true do end end, function() while true do end end) end',
  'local f = coroutine.wrap(function() while true do end end) f()',
  'while true do coroutine.wrap(function() coroutine.yield() end)() end',
  'while true do local co = coroutine.create(function() while true do coroutine.yield() end end) coroutine.resume(co) end',
  'for i = 1, math.huge do end',
  'local function f() return f() end f()',
  'local function f() return pcall(f) end while true do f() end',
  'local function f(...) return f(1, ...) end return f()',
  "local s = string.rep('a', 40) while true do s:find(string.rep('a*', 40) .. 'b') end",
  "return string.find(string.rep('a', 40), string.rep('a-', 40) .. 'b')",
  "return string.gsub(string.rep('a', 1000), '.', function(c) while true do end end)",
  'table.sort({3, 2, 1, 5, 4}, function() while true do end end)',
  'return setmetatable({}, {__index = function() while true do end end}).x',
  'return setmetatable({}, {__concat = function() while true do end end}) .. 1',
  'for k in function() return 1 end do end',
  'local t = {} while true do t[#t % 1000 + 1] = {} end',
  'load(function() while true do end end)',
  "loadstring('while true do end')()",
  'setfenv(function() while true do x = 1 end end, {})()',
  "while true do redis.pcall('GET', 'k') end",
  "while true do redis.pcall('NOSUCH') end",
  "while true do cjson.decode('[1, 2, 3]') end",
  'local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end return fib(90)',
]

for (const script of ENDLESS)
  conversation(
    `can be killed while others hear that the server is busy: ${script.slice(0, 70)}`,
    async c => {
      await c.config('busy-reply-threshold', '1')
      const other = await c.another()
      const pending = await other.start(run(script))
      let answer = await c.do('GET k')
      for (let attemptsLeft = 50; !isBusy(answer) && attemptsLeft > 0; attemptsLeft--) {
        await c.pass(5)
        answer = await c.do('GET k')
      }
      assert.ok(isBusy(answer))
      await c.expect('SCRIPT KILL', 'OK')
      assert.match(((await pending.value()) as RespError).message, /Script killed by user/)
      await c.expect('GET k', null)
    },
    { oursOnly: 'patterns and host functions cannot be interrupted in C', resp: 2, over: 'TCP' },
  )

conversation(
  'TIME moves in a script that is slow, and stands still in others',
  async c => {
    const changes =
      "local first = redis.call('TIME') for i = 1, 2e6 do local now = redis.call('TIME') " +
      'if now[1] ~= first[1] or now[2] ~= first[2] then return 1 end end return 0'
    await c.config('busy-reply-threshold', '0')
    await c.expect(['EVAL', changes.replace('2e6', '1000'), 0], 0)
    await c.config('busy-reply-threshold', '1')
    await c.expect(['EVAL', changes, 0], 1)
  },
  { resp: 2, over: 'TCP', since: '7.2' },
)

function isBusy(value: unknown): boolean {
  return value instanceof RespError && value.message.startsWith('BUSY')
}
