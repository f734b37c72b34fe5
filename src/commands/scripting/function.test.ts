import assert from 'node:assert/strict'
import { byProtocol, conversation, error } from '../../../test/harness/conversation.ts'

const library = (name: string, code: string) => `#!lua name=${name}\n${code}`
const ECHO = library('echo', 'redis.register_function("echo", function(keys, args) return {keys, args} end)')
const FLAGGED = library(
  'flagged',
  'redis.register_function{function_name="read", callback=function(keys) return redis.call("get", keys[1]) end, ' +
    'flags={"no-writes"}, description="reads"}',
)

conversation('FUNCTION LOAD brings functions, FCALL calls them', async c => {
  await c.expect('FUNCTION FLUSH', 'OK')
  await c.expect(['FUNCTION', 'LOAD', ECHO], 'echo')
  await c.expect('FCALL echo 1 k a b', [['k'], ['a', 'b']])
  await c.expect('FCALL ECHO 0', [[], []])
  await c.expectError(['FUNCTION', 'LOAD', ECHO], "ERR Library 'echo' already exists")
  await c.expect(['FUNCTION', 'LOAD', 'REPLACE', ECHO], 'echo')
  await c.expectError('FCALL nope 0', 'ERR Function not found')
  await c.expectError('FCALL echo x', 'ERR Bad number of keys provided')
  await c.expectError('FCALL echo 2 k', "ERR Number of keys can't be greater than number of args")
  await c.expectError('FCALL echo -1', "ERR Number of keys can't be negative")
})

conversation('FCALL_RO and flags', async c => {
  await c.expect('FUNCTION FLUSH', 'OK')
  await c.expect(['FUNCTION', 'LOAD', FLAGGED], 'flagged')
  await c.expect(['FUNCTION', 'LOAD', ECHO], 'echo')
  await c.expect('SET k v', 'OK')
  await c.expect('FCALL_RO read 1 k', 'v')
  await c.expectError('FCALL_RO echo 0', 'ERR Can not execute a script with write flag using *_ro command.')
  const writes = library(
    'w',
    'redis.register_function{function_name="w", callback=function() return redis.call("set", "k", 1) end, flags={"no-writes"}}',
  )
  await c.expect(['FUNCTION', 'LOAD', writes], 'w')
  await c.expectError(
    'FCALL w 0',
    'ERR Write commands are not allowed from read-only scripts. script: w, on @user_function:2.',
  )
})

conversation('FUNCTION LIST and STATS', async c => {
  await c.expect('FUNCTION FLUSH SYNC', 'OK')
  await c.expect('FUNCTION LIST', [])
  await c.expect(['FUNCTION', 'LOAD', FLAGGED], 'flagged')
  const functions = ['name', 'read', 'description', 'reads', 'flags', ['no-writes']]
  const shown = ['library_name', 'flagged', 'engine', 'LUA', 'functions', [functions]]
  await c.expect('FUNCTION LIST', [shown])
  await c.expect('FUNCTION LIST LIBRARYNAME FLAG*', [shown])
  await c.expect('FUNCTION LIST LIBRARYNAME other', [])
  await c.expect('FUNCTION LIST WITHCODE', [[...shown, 'library_code', FLAGGED]])
  await c.expectError('FUNCTION LIST LIBRARYNAME', 'ERR library name argument was not given')
  await c.expectError('FUNCTION LIST FOO', 'ERR Unknown argument FOO')
  const engines = ['LUA', ['libraries_count', 1, 'functions_count', 1]]
  await c.expect('FUNCTION STATS', ['running_script', null, 'engines', engines])
})

conversation('FUNCTION DELETE takes a library away', async c => {
  await c.expect('FUNCTION FLUSH ASYNC', 'OK')
  await c.expect(['FUNCTION', 'LOAD', ECHO], 'echo')
  await c.expect('FUNCTION DELETE echo', 'OK')
  await c.expectError('FUNCTION DELETE echo', 'ERR Library not found')
  await c.expectError('FCALL echo 0', 'ERR Function not found')
  await c.expectError('FUNCTION FLUSH NOW', 'ERR FUNCTION FLUSH only supports SYNC|ASYNC option')
})

conversation('FUNCTION DUMP and RESTORE', async c => {
  await c.expect('FUNCTION FLUSH', 'OK')
  await c.expect(['FUNCTION', 'LOAD', ECHO], 'echo')
  await c.expect(['FUNCTION', 'LOAD', FLAGGED], 'flagged')
  const dump = String(await c.do('FUNCTION DUMP'))
  const payload = Uint8Array.from(dump, char => char.charCodeAt(0))
  await c.expectError(['FUNCTION', 'RESTORE', payload], /^ERR Library (echo|flagged) already exists$/)
  await c.expect(['FUNCTION', 'RESTORE', payload, 'REPLACE'], 'OK')
  await c.expect(['FUNCTION', 'RESTORE', payload, 'FLUSH'], 'OK')
  await c.expect('FCALL echo 0', [[], []])
  await c.expect('FUNCTION DELETE echo', 'OK')
  await c.expect('FUNCTION DELETE flagged', 'OK')
  await c.expect(['FUNCTION', 'RESTORE', payload], 'OK')
  await c.expect('FCALL echo 0', [[], []])
  await c.expectError('FUNCTION RESTORE nonsense', 'ERR DUMP payload version or checksum are wrong')
  await c.expectError(
    ['FUNCTION', 'RESTORE', payload, 'MERGE'],
    'ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.',
  )
  await c.expect('FUNCTION FLUSH', 'OK')
  // A function of that name in another library.
  await c.expect(['FUNCTION', 'LOAD', ECHO.replace('name=echo', 'name=other')], 'other')
  await c.expectError(['FUNCTION', 'RESTORE', payload], 'ERR Function echo already exists')
  await c.expect('FUNCTION DELETE other', 'OK')
})

conversation(
  'what redis-server 7.2.4 has dumped is restored',
  async c => {
    const hex =
      'f5c34053405d1f23216c7561206e616d653d6563686f0a72656469732e72656769737465725f6608' +
      '756e6374696f6e2822401d02222c20e00010136b6579732c2061726773292072657475726e207be0' +
      '0113057d20656e64290b003e452b3c7d9d358f'
    const payload = Uint8Array.from(hex.match(/../g) as string[], byte => Number.parseInt(byte, 16))
    await c.expect('FUNCTION FLUSH', 'OK')
    await c.expect(['FUNCTION', 'RESTORE', payload], 'OK')
    await c.expect('FCALL echo 1 k a', [['k'], ['a']])
    await c.expect('FUNCTION LIST WITHCODE', [
      [
        'library_name',
        'echo',
        'engine',
        'LUA',
        'functions',
        [['name', 'echo', 'description', null, 'flags', []]],
        'library_code',
        ECHO,
      ],
    ])
    for (const at of [0, 1, 20, payload.length - 1]) {
      const damaged = payload.slice()
      damaged[at] ^= 1
      await c.expectError(['FUNCTION', 'RESTORE', damaged, 'FLUSH'], 'ERR DUMP payload version or checksum are wrong')
    }
  },
  { since: '7.2' },
)

conversation('a library that cannot be loaded leaves everything as it was', async c => {
  await c.expect('FUNCTION FLUSH', 'OK')
  await c.expect(['FUNCTION', 'LOAD', ECHO], 'echo')
  const refusals: [string, string | RegExp][] = [
    ['return 1', 'ERR Missing library metadata'],
    ['#!lua name=a', 'ERR Invalid library metadata'],
    ['#!lua\nreturn 1', 'ERR Library name was not given'],
    ['#!lua name=a name=b\n', 'ERR Invalid metadata value, name argument was given multiple times'],
    ['#!lua name=a foo=b\n', 'ERR Invalid metadata value given: foo=b'],
    ['#!python name=a\n', "ERR Engine 'python' not found"],
    ['#!lua name=a-b\n', /^ERR Library names can only contain letters, numbers, or underscores/],
    [library('a', 'return 1'), 'ERR No functions registered'],
    [library('a', 'x x'), /^ERR Error compiling function: user_function:2: '=' expected near 'x'/],
    [library('a', 'redis.call("ping")'), /^ERR Error registering functions: .*nonexistent global variable 'call'/],
    [library('a', 'math.random()'), /^ERR Error registering functions: .*nonexistent global variable 'math'/],
    [library('a', 'redis.register_function("echo", function() end)'), 'ERR Function echo already exists'],
    [library('a', 'redis.register_function("a-b", function() end)'), /ERR Library names can only contain/],
    [library('a', 'redis.register_function()'), /wrong number of arguments to redis\.register_function$/],
    [library('a', 'redis.register_function{function_name="a"}'), /must get a callback argument$/],
    [
      library('a', 'redis.register_function{function_name="a", callback=function() end, flags={"foo"}}'),
      /unknown flag given$/,
    ],
  ]
  for (const [code, message] of refusals) await c.expectError(['FUNCTION', 'LOAD', 'REPLACE', code], message)
  await c.expect('FCALL echo 0', [[], []])
})

conversation('functions keep state between calls, but may not make globals', async c => {
  await c.expect('FUNCTION FLUSH', 'OK')
  const code = 'local n = 0 redis.register_function("next", function() n = n + 1 return n end) '
  const globals = 'redis.register_function("global", function() x = 1 end)'
  await c.expect(['FUNCTION', 'LOAD', library('counter', code + globals)], 'counter')
  await c.expect('FCALL next 0', 1)
  await c.expect('FCALL next 0', 2)
  await c.expectError(
    'FCALL global 0',
    'ERR user_function:2: Attempt to modify a readonly table script: global, on @user_function:2.',
  )
})

conversation('functions see all of the redis table, the code of a library little of it', async c => {
  await c.expect('FUNCTION FLUSH', 'OK')
  const code =
    'local v = redis.REDIS_VERSION redis.register_function("see", function() return {v == redis.REDIS_VERSION, type(redis.call)} end)'
  await c.expect(['FUNCTION', 'LOAD', library('see', code)], 'see')
  await c.expect('FCALL see 0', byProtocol([1, 'function'], [1, 'function']))
})

conversation('FUNCTION HELP and what it does not know', async c => {
  const help = (await c.do('FUNCTION HELP')) as string[]
  assert.equal(help[0], 'FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:')
  await c.expectError('FUNCTION NOPE', "ERR unknown subcommand 'NOPE'. Try FUNCTION HELP.")
})

conversation(
  'a function that takes long can be killed, and is shown while it runs',
  async c => {
    await c.expect('FUNCTION FLUSH', 'OK')
    await c.expect(
      ['FUNCTION', 'LOAD', library('loop', 'redis.register_function("loop", function() while true do end end)')],
      'loop',
    )
    await c.config('busy-reply-threshold', '10')
    const other = await c.another()
    const running = await other.start('FCALL loop 1 k a')
    while ((await c.do('PING')) === 'PONG');
    await c.expectError(
      'PING',
      'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.',
    )
    const stats = (await c.do('FUNCTION STATS')) as unknown[]
    const shown = (stats[1] as unknown[]).slice(0, 4)
    if (JSON.stringify(shown) !== '["name","loop","command",["FCALL","loop","1","k","a"]]')
      throw new Error(JSON.stringify(shown))
    await c.expectError('SCRIPT KILL', /^BUSY /)
    await c.expect('FUNCTION KILL', 'OK')
    await other.expectReply(
      running,
      error('ERR Script killed by user with SCRIPT KILL... script: loop, on @user_function:2.'),
    )
    await c.expect('FUNCTION FLUSH', 'OK')
  },
  { over: 'TCP', resp: 2 },
)
