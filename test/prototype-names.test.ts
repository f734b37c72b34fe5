// Names of JavaScript's object properties as ordinary words; and numbers larger than any table or buffer.

import { conversation } from './harness/conversation.ts'

const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty']

conversation('scripts and functions have no flag of that name', async c => {
  for (const name of NAMES) {
    await c.expectError(
      ['EVAL', `#!lua flags=${name}\nreturn 1`, '0'],
      `ERR Unexpected flag in script shebang: ${name}`,
    )
    const code = `#!lua name=l\nredis.register_function{function_name='f', callback=function() return 1 end, flags={'${name}'}}`
    await c.expectError(['FUNCTION', 'LOAD', code], /ERR Error registering functions: .*unknown flag given/)
  }
  await c.expectError(['FCALL', 'hasOwnProperty', '0'], 'ERR Function not found')
})

conversation('libraries and functions may have such names', async c => {
  await c.expect(
    ['FUNCTION', 'LOAD', "#!lua name=constructor\nredis.register_function('__proto__', function() return 1 end)"],
    'constructor',
  )
  await c.expect('FCALL __proto__ 0', 1)
  await c.expect('FUNCTION DELETE constructor', 'OK')
})

conversation('Lua tables and libraries know them as any other key', async c => {
  const keys =
    'local t={} t.__proto__=5 t.constructor=6 return {t.__proto__, t.constructor, #t, tostring(t.hasOwnProperty)}'
  await c.expect(['EVAL', keys, '0'], [5, 6, 0, 'nil'])
  await c.expect(['EVAL', `return cjson.decode('{"__proto__":1,"constructor":2}').constructor`, '0'], 2)
  await c.expect(['EVAL', 'return cjson.encode({__proto__=1})', '0'], '{"__proto__":1}')
  await c.expect(['EVAL', 'return redis.constructor', '0'], null)
  await c.expectError(
    ['EVAL', "return redis.pcall('constructor')", '0'],
    /^ERR Unknown Redis command called from script/,
  )
})

conversation('there is no such parameter, subcommand or word', async c => {
  for (const name of NAMES) {
    await c.expect(['CONFIG', 'GET', name], [])
    await c.expectError(
      ['CONFIG', 'SET', name, '1'],
      `ERR Unknown option or number of arguments for CONFIG SET - '${name}'`,
    )
    await c.expectError(
      ['DEBUG', name],
      `ERR unknown subcommand or wrong number of arguments for '${name}'. Try DEBUG HELP.`,
    )
    await c.expectError(['DEBUG', 'PROTOCOL', name], /^ERR Wrong protocol type name\./)
    await c.expectError(['ACL', 'CAT', name], `ERR Unknown category '${name}'`)
    await c.expectError(['CLIENT', 'KILL', 'TYPE', name], `ERR Unknown client type '${name}'`)
    await c.expectError(['CONFIG', 'SET', 'maxmemory-policy', name], /must be one of the following/)
    await c.expectError(['GEODIST', 'g', 'a', 'b', name], /^ERR/)
    await c.expect(['COMMAND', 'INFO', name], [null])
    await c.expect(['LATENCY', 'HISTOGRAM', name], [])
  }
})

conversation('a client may be called so', async c => {
  await c.do('HELLO 3 SETNAME __proto__')
  await c.expect('CLIENT GETNAME', '__proto__')
})

conversation('DEBUG with numbers beyond all bounds', async c => {
  await c.expectError('DEBUG POPULATE -1', /^ERR value is out of range, must be positive/)
  await c.expectError('DEBUG POPULATE 10 pp -1', /^ERR value is out of range, must be positive/)
  await c.expectError('DEBUG POPULATE 99999999999999999999', /^ERR value is out of range/)
  await c.expectError('DEBUG HTSTATS -1', 'ERR Out of range database')
  await c.expectError('DEBUG HTSTATS 9223372036854775807', 'ERR Out of range database')
  await c.expectError('DEBUG QUICKLIST-PACKED-THRESHOLD 99999999999999999999', /^ERR argument must be a memory value/)
  await c.expectError('DEBUG REPLYBUFFER PEAK-RESET-TIME x', /^ERR value is not an integer/)
})

conversation(
  'DEBUG POPULATE refuses what no memory can hold',
  async c => {
    await c.expectError('DEBUG POPULATE 10 pp 9223372036854775807', /^ERR DEBUG POPULATE would need more memory/)
    await c.expectError('DEBUG POPULATE 5000000000', /^ERR DEBUG POPULATE would need more memory/)
    await c.expect('DBSIZE', 0)
  },
  { oursOnly: 'redis-server aborts, or fills its memory for hours' },
)
