import assert from 'node:assert/strict'
import { anything, between, byProtocol, conversation, error } from '../../../test/harness/conversation.ts'

const DIGEST_OF_RETURN_1 = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'

conversation('EVAL gives keys and arguments to a script, and its value to the client', async c => {
  await c.expect(['EVAL', 'return {KEYS[1], ARGV[1], #KEYS, #ARGV}', 1, 'k', 'a', 'b'], ['k', 'a', 1, 2])
  await c.expect(['EVAL', 'return 1', 0], 1)
  await c.expect(['EVAL', 'return "\\0\\255"', 0], '\0\xff')
  await c.expect(['EVAL', 'return nil', 0], null)
  await c.expect(['EVAL', 'return {1, 2, nil, 4}', 0], [1, 2])
  await c.expect(['EVAL', 'return {1, {2, {"three"}}}', 0], [1, [2, ['three']]])
  await c.expect(['EVAL', 'return {}', 0], [])
  await c.expect(['EVAL', 'return 3.99', 0], 3)
  await c.expect(['EVAL', 'return -3.99', 0], -3)
  await c.expect(['EVAL', 'return function() end', 0], null)
})

conversation('what a script returns may name its type', async c => {
  await c.expectWire(['EVAL', 'return {ok="fine"}', 0], '+fine\r\n')
  await c.expectWire(['EVAL', 'return {ok="a\\nb"}', 0], '+a b\r\n')
  await c.expectWire(['EVAL', 'return {err="MY error"}', 0], '-MY error\r\n')
  await c.expectWire(['EVAL', 'return {double=3.5}', 0], { 2: '$3\r\n3.5\r\n', 3: ',3.5\r\n' })
  await c.expectWire(['EVAL', 'return {big_number="123"}', 0], { 2: '$3\r\n123\r\n', 3: '(123\r\n' })
  await c.expectWire(['EVAL', 'return {map={a=1}}', 0], { 2: '*2\r\n$1\r\na\r\n:1\r\n', 3: '%1\r\n$1\r\na\r\n:1\r\n' })
  await c.expectWire(['EVAL', 'return {set={a=true}}', 0], { 2: '*1\r\n$1\r\na\r\n', 3: '~1\r\n$1\r\na\r\n' })
  await c.expectWire(['EVAL', 'return {verbatim_string={format="txt", string="abc"}}', 0], {
    2: '$3\r\nabc\r\n',
    3: '=7\r\ntxt:abc\r\n',
  })
  await c.expectWire(['EVAL', 'return true', 0], ':1\r\n')
  await c.expectWire(['EVAL', 'return false', 0], { 2: '$-1\r\n', 3: '_\r\n' })
  await c.expectWire(['EVAL', 'redis.setresp(3) return true', 0], { 2: ':1\r\n', 3: '#t\r\n' })
  await c.expectWire(['EVAL', 'redis.setresp(3) return false', 0], { 2: ':0\r\n', 3: '#f\r\n' })
})

conversation('EVALSHA runs a script that the server has seen, digests in either case', async c => {
  await c.expect('SCRIPT FLUSH', 'OK')
  await c.expectError(`EVALSHA ${DIGEST_OF_RETURN_1} 0`, 'NOSCRIPT No matching script. Please use EVAL.')
  await c.expectError('EVALSHA short 0', 'NOSCRIPT No matching script. Please use EVAL.')
  await c.expect(['EVAL', 'return 1', 0], 1)
  await c.expect(`EVALSHA ${DIGEST_OF_RETURN_1} 0`, 1)
  await c.expect(`EVALSHA ${DIGEST_OF_RETURN_1.toUpperCase()} 0`, 1)
  await c.expect(`EVALSHA_RO ${DIGEST_OF_RETURN_1} 0`, 1)
})

conversation('the number of keys is checked', async c => {
  await c.expectError(['EVAL', 'return 1', 'x'], 'ERR value is not an integer or out of range')
  await c.expectError(['EVAL', 'return 1', -1], "ERR Number of keys can't be negative")
  await c.expectError(['EVAL', 'return 1', 2, 'a'], "ERR Number of keys can't be greater than number of args")
})

conversation('redis.call runs commands and gives their replies as Lua values', async c => {
  await c.expect(['EVAL', 'return redis.call("set", KEYS[1], ARGV[1])', 1, 'k', 'v'], 'OK')
  await c.expect(['EVAL', 'return redis.call("get", KEYS[1])', 1, 'k'], 'v')
  await c.expect(['EVAL', 'return redis.call("get", "none") == false', 0], 1)
  await c.expect(['EVAL', 'return redis.call("ping").ok', 0], 'PONG')
  await c.expect(['EVAL', 'return type(redis.call("incr", "n"))', 0], 'number')
  await c.expect(
    ['EVAL', 'redis.call("rpush", "l", 1, 2, 3) return redis.call("lrange", "l", 0, -1)', 0],
    ['1', '2', '3'],
  )
  await c.expect(['EVAL', 'redis.call("hset", "h", "f", "v") return redis.call("hgetall", "h")', 0], ['f', 'v'])
})

conversation('with redis.setresp(3) replies come in RESP3 types', async c => {
  await c.expect('HSET h f v', 1)
  await c.expect('SADD s m', 1)
  await c.expect('ZADD z 1.5 m', 1)
  await c.expect(['EVAL', 'redis.setresp(3) return redis.call("hgetall", "h").map.f', 0], 'v')
  await c.expect(['EVAL', 'redis.setresp(3) return redis.call("smembers", "s").set.m', 0], byProtocol(1, 1))
  await c.expect(['EVAL', 'redis.setresp(3) return tostring(redis.call("zscore", "z", "m").double)', 0], '1.5')
  await c.expect(['EVAL', 'redis.setresp(3) return redis.call("get", "none") == nil', 0], 1)
  await c.expectError(['EVAL', 'redis.setresp(4)', 0], /^ERR RESP version must be 2 or 3\./)
})

conversation(
  'numbers become arguments as Redis writes doubles',
  async c => {
    const set = (number: string) => ['EVAL', `redis.call("set", "k", ${number}) return redis.call("get", "k")`, 0]
    await c.expect(set('10'), '10')
    await c.expect(set('1.5'), '1.5')
    await c.expect(set('1/3'), '0.3333333333333333')
    await c.expect(set('9007199254740993'), '9007199254740992')
    await c.expect(set('1000000'), '1000000')
    await c.expect(set('1e17'), '1e+17')
    await c.expect(set('-0.0'), '-0')
  },
  { since: '7.2' },
)

conversation('an error of redis.call ends the script and tells where', async c => {
  await c.expect('SET k x', 'OK')
  await c.expectError(
    ['EVAL', 'return redis.call("incr", "k")', 0],
    'ERR value is not an integer or out of range script: 47a9e158c5d7e0957d969630642721ca5e14494d, on @user_script:1.',
  )
  await c.expectError(['EVAL', '\n\nfoo()', 0], /^ERR user_script:3: Script attempted .* 'foo' .* on @user_script:3\.$/)
  await c.expectError(['EVAL', 'redis.call("lpush", "k", 1)', 0], /^WRONGTYPE /)
  await c.expectError(
    ['EVAL', 'return redis.call("nope")', 0],
    /^ERR Unknown Redis command called from script script: /,
  )
  await c.expectError(['EVAL', 'return redis.call("get")', 0], /^ERR Wrong number of args calling Redis command/)
  await c.expectError(['EVAL', 'return redis.call()', 0], /^ERR Please specify at least one argument/)
  await c.expectError(['EVAL', 'return redis.call("get", {})', 0], /^ERR Lua redis lib command arguments must be/)
  await c.expectError(
    ['EVAL', 'error("boom")', 0],
    /^ERR user_script:1: boom script: [0-9a-f]{40}, on @user_script:1\.$/,
  )
  await c.expectError(['EVAL', 'error({err="MY own"})', 0], /^MY own script: /)
})

conversation('redis.pcall gives errors to the script', async c => {
  await c.expect('SET k x', 'OK')
  await c.expectError(['EVAL', 'return redis.pcall("incr", "k")', 0], 'ERR value is not an integer or out of range')
  await c.expect(['EVAL', 'return redis.pcall("incr", "k").err', 0], 'ERR value is not an integer or out of range')
  await c.expect(
    ['EVAL', 'local ok, e = pcall(redis.call, "incr", "k") return {tostring(ok), e}', 0],
    ['false', 'ERR value is not an integer or out of range'],
  )
  await c.expect(
    ['EVAL', 'return {1, redis.pcall("nope")}', 0],
    [1, error('ERR Unknown Redis command called from script')],
  )
})

conversation('replies can be made by hand', async c => {
  await c.expectError(['EVAL', 'return redis.error_reply("MY error")', 0], 'MY error')
  await c.expectError(['EVAL', 'return redis.error_reply("-MY error")', 0], 'MY error')
  await c.expectError(['EVAL', 'return redis.error_reply("ERROR")', 0], 'ERR ERROR')
  await c.expectWire(['EVAL', 'return redis.status_reply("TOP")', 0], '+TOP\r\n')
  await c.expectError(['EVAL', 'return redis.error_reply()', 0], 'ERR wrong number or type of arguments')
})

conversation('the rest of the redis table', async c => {
  await c.expect(['EVAL', 'return redis.sha1hex("")', 0], 'da39a3ee5e6b4b0d3255bfef95601890afd80709')
  await c.expect(
    ['EVAL', 'return {redis.LOG_DEBUG, redis.LOG_VERBOSE, redis.LOG_NOTICE, redis.LOG_WARNING}', 0],
    [0, 1, 2, 3],
  )
  await c.expect(['EVAL', 'redis.log(redis.LOG_DEBUG, "a", 1) return 1', 0], 1)
  await c.expectError(['EVAL', 'redis.log(9, "a")', 0], /^ERR Invalid debug level\./)
  await c.expect(
    ['EVAL', 'return {redis.REPL_NONE, redis.REPL_AOF, redis.REPL_REPLICA, redis.REPL_ALL}', 0],
    [0, 1, 2, 3],
  )
  await c.expect(['EVAL', 'redis.set_repl(redis.REPL_NONE) return redis.call("incr", "n")', 0], 1)
  await c.expectError(['EVAL', 'redis.set_repl(9)', 0], /^ERR Invalid replication flags/)
  await c.expect(['EVAL', 'return {redis.replicate_commands(), redis.breakpoint(), 2}', 0], [1, null, 2])
  await c.expect(['EVAL', 'return redis.acl_check_cmd("set", "k", "v")', 0], 1)
  await c.expectError(['EVAL', 'redis.acl_check_cmd("nope")', 0], /^ERR Invalid command passed to redis\.acl_check_cmd/)
  await c.expect(['EVAL', 'return redis.REDIS_VERSION_NUM', 0], between(0x070000, 0x080000))
})

conversation('globals are as Redis has them, and read-only', async c => {
  const readOnly = /^ERR user_script:1: Attempt to modify a readonly table script: /
  for (const script of [
    'x = 1',
    'string.x = 1',
    'redis.call = 1',
    '_G.x = 1',
    'getmetatable(_G).__index = nil',
    'KEYS = 1',
  ])
    await c.expectError(['EVAL', script, 0], readOnly)
  for (const name of ['print', 'os', 'io', 'debug', 'require', 'dofile', 'loadfile', 'x'])
    await c.expectError(
      ['EVAL', `return ${name}`, 0],
      new RegExp(`^ERR user_script:1: Script attempted to access nonexistent global variable '${name}' `),
    )
  await c.expectError(['EVAL', 'setmetatable(_G, {})', 0], /^ERR Attempt to modify a readonly table/)
  await c.expect(['EVAL', 'return loadstring("return 1 + 1")()', 0], 2)
  await c.expect(['EVAL', 'KEYS[1] = "other" return KEYS', 1, 'k'], ['other'])
})

conversation('a script cannot be compiled', async c => {
  await c.expectError(
    ['EVAL', 'return (', 0],
    /^ERR Error compiling script \(new function\): user_script:1: unexpected symbol near '<eof>'/,
  )
  await c.expectError(['EVAL', '#!lua', 0], 'ERR Invalid script shebang')
  await c.expectError(['EVAL', '#!python\nreturn 1', 0], 'ERR Unexpected engine in script shebang: #!python')
  await c.expectError(['EVAL', '#!lua flags=foo\nreturn 1', 0], 'ERR Unexpected flag in script shebang: foo')
  await c.expectError(['EVAL', '#!lua foo=bar\nreturn 1', 0], 'ERR Unknown lua shebang option: foo=bar')
  await c.expectError(['EVAL', '#!lua\n\nerror("x")', 0], /on @user_script:3\.$/)
})

conversation('scripts that only read may not write', async c => {
  const refused = /^ERR Write commands are not allowed from read-only scripts\. script: /
  await c.expectError(['EVAL_RO', 'return redis.call("set", "k", 1)', 1, 'k'], refused)
  await c.expectError(['EVAL_RO', 'return redis.call("publish", "c", "m")', 0], refused)
  await c.expectError(['EVAL', '#!lua flags=no-writes\nreturn redis.call("set", "k", 1)', 1, 'k'], refused)
  await c.expect(['EVAL_RO', 'return redis.call("get", "k")', 1, 'k'], null)
  await c.expectError(
    ['EVAL_RO', '#!lua\nreturn 1', 0],
    'ERR Can not execute a script with write flag using *_ro command.',
  )
  await c.expect(['EVAL_RO', '#!lua flags=no-writes\nreturn 1', 0], 1)
})

conversation(
  'some commands are not for scripts, and none waits',
  async c => {
    for (const command of ['multi', 'subscribe", "c', 'eval", "return 1", "0', 'watch", "k', 'config", "get", "port'])
      await c.expectError(
        ['EVAL', `return redis.call("${command}")`, 0],
        /^ERR This Redis command is not allowed from script/,
      )
    await c.expect(['EVAL', 'return redis.call("blpop", "none", 0)', 1, 'none'], null)
    await c.expect(['EVAL', 'return redis.call("brpoplpush", "none", "b", 0)', 2, 'none', 'b'], null)
  },
  { since: '7.2' },
)

conversation('SELECT in a script ends with it', async c => {
  await c.expect(['EVAL', 'redis.call("select", 9) redis.call("set", "k", "in 9")', 0], null)
  await c.expect('GET k', null)
  await c.expect('SELECT 9', 'OK')
  await c.expect('GET k', 'in 9')
})

conversation('a script in a transaction answers in its place', async c => {
  await c.expect('MULTI', 'OK')
  await c.expect('INCR n', 'QUEUED')
  await c.expect(['EVAL', 'return redis.call("incr", "n")', 1, 'n'], 'QUEUED')
  await c.expect(['EVAL', 'return redis.call("nope")', 0], 'QUEUED')
  await c.expect('INCR n', 'QUEUED')
  await c.expect('EXEC', [1, 2, anything, 3])
})

conversation('clients that wait for a key are served when the script is done', async c => {
  const other = await c.another()
  const waiting = await other.start('BLPOP l 0')
  await c.expect(
    ['EVAL', 'redis.call("lpush", "l", "a") redis.call("lpush", "l", "b") return redis.call("llen", "l")', 1, 'l'],
    2,
  )
  await other.expectReply(waiting, ['l', 'b'])
})

conversation('watched keys are touched by scripts', async c => {
  const other = await c.another()
  await c.expect('WATCH k', 'OK')
  await other.expect(['EVAL', 'return redis.call("set", "k", 1)', 1, 'k'], 'OK')
  await c.expect('MULTI', 'OK')
  await c.expect('PING', 'QUEUED')
  await c.expect('EXEC', null)
})

conversation(
  'time stands still for a script',
  async c => {
    const script =
      'local a = redis.call("time") for i = 1, 1000 do end local b = redis.call("time") return {a[1] == b[1], a[2] == b[2]}'
    await c.expect(['EVAL', script, 0], [1, 1])
  },
  { since: '7.2' },
)

conversation('the generator of random numbers gives what its seed says', async c => {
  await c.expect(['EVAL', 'math.randomseed(7) return {math.random(1000), math.random(5, 9)}', 0], [267, 8])
  await c.expectError(['EVAL', 'return math.random(0)', 0], /bad argument #1 to 'random' \(interval is empty\)/)
})

conversation('a table that holds itself ends in an error', async c => {
  // Thousands of nested arrays: too deep for the test client to build values of.
  const words = ['EVAL', 'local t = {} t[1] = t return {t}', '0']
  const reply = Buffer.from(await c.client.send(words).bytes()).toString('latin1')
  assert.ok(reply.split('*1\r\n').length > 1000)
  assert.match(reply, /-ERR reached lua stack limit\r\n$/)
})

conversation('a key whose time is over is gone for a script, though DEBUG OBJECT still sees it', async c => {
  await c.expectAll(['DEBUG SET-ACTIVE-EXPIRE 0', 'OK'], ['SET k v PX 1', 'OK'])
  await c.pass(20)
  assert.match(String(await c.do('DEBUG OBJECT k')), /^Value at:/)
  await c.expectAll(
    [['EVAL', "return redis.call('EXISTS', 'k')", 1, 'k'], 0],
    ['EXISTS k', 0],
    ['DEBUG SET-ACTIVE-EXPIRE 1', 'OK'],
  )
})

conversation('functions of Redis go by other names, which may be given to something else', async c => {
  await c.expectAll(
    ['SET k v', 'OK'],
    [
      ['EVAL', "local call = redis.call local function get(k) return call('GET', k) end return get(KEYS[1])", 1, 'k'],
      'v',
    ],
    [
      ['EVAL', "local r = redis local call = r.call return (function() return call('GET', KEYS[1]) end)()", 1, 'k'],
      'v',
    ],
    [['EVAL', "local call = redis.call call = function(...) return 'mine' end return call('GET', 'k')", 0], 'mine'],
    [['EVAL', "local call = redis.call do local call = tonumber return call('7') end", 0], 7],
    [
      ['EVAL', 'local call, other = redis.call return {other == nil, call == redis.call, call and 1 or 2}', 0],
      [1, 1, 1],
    ],
    [
      ['EVAL', 'local s, len = 1, string.len return {len("four"), s}', 0],
      [4, 1],
    ],
  )
  await c.expectError(
    ['EVAL', "local call = redis.call local f = function() return call('NONE') end return f()", 0],
    /Unknown Redis command called from script/,
  )
  await c.expectError(
    ['EVAL', 'local len = string.len local function f() return len({}) end return f()', 0],
    /bad argument #1 to 'len' \(string expected, got table\)/,
  )
  await c.expectError(
    ['EVAL', 'local f = function() end local t = f return t.x', 0],
    /attempt to index local 't' \(a function value\)/,
  )
})

conversation(
  'an error that is raised keeps its line feeds, one that is returned has spaces',
  async c => {
    await c.expectError(
      ['EVAL', "error('a\\nb')", 0],
      /^ERR user_script:1: a\nb script: [0-9a-f]{40}, on @user_script:1\.$/,
    )
    await c.expectError(['EVAL', "error({err='a\\nb'})", 0], /^a\nb script: [0-9a-f]{40}/)
    await c.expectError(['EVAL', "return {err='a\\nb'}", 0], 'a b')
    await c.expectError(['EVAL', "return redis.error_reply('a\\r\\nb')", 0], 'ERR a  b')
  },
  { since: '7.2' },
)

conversation(
  'an error that is raised cannot end its reply with a line break',
  async c => {
    await c.expectError(['EVAL', "error('a\\r\\nb')", 0], /^ERR user_script:1: a \nb script: /)
    await c.expect('PING', 'PONG')
  },
  { oursOnly: 'Redis 7.2 sends the CR LF as it is, and the client loses step' },
)

conversation(
  'EXEC is judged by what its scripts declare',
  async c => {
    const other = await c.another()
    const writes = '#!lua\nreturn 1'
    const reads = '#!lua flags=no-writes\nreturn 1'
    await c.expectAll(['MULTI', 'OK'], [['EVAL', writes, '0'], 'QUEUED'])
    await other.config('min-replicas-to-write', '1')
    await c.expectError(
      'EXEC',
      'EXECABORT Transaction discarded because of: NOREPLICAS Not enough good replicas to write.',
    )
    await c.expectAll(['MULTI', 'OK'], [['EVAL', reads, '0'], 'QUEUED'], ['EXEC', [1]])
  },
  { since: '7.2' },
)

conversation(
  'on a replica without its primary only scripts that allow it run',
  async c => {
    const down = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
    await c.config('replica-serve-stale-data', 'no')
    await c.expect('REPLICAOF 127.0.0.1 1', 'OK')
    await c.expectError(['EVAL', "return redis.call('get', 'x')", '1', 'x'], down)
    await c.expectError(['EVAL', '#!lua flags=no-writes\nreturn 1', '0'], down)
    await c.expect(['EVAL', '#!lua flags=allow-stale,no-writes\nreturn 1', '0'], 1)
    const reads = "#!lua flags=allow-stale,no-writes\nreturn redis.call('get', 'x')"
    await c.expectError(['EVAL', reads, '1', 'x'], /^ERR Can not execute the command on a stale replica/)
    await c.expect('REPLICAOF NO ONE', 'OK')
  },
  { since: '7.2', over: 'TCP' },
)
