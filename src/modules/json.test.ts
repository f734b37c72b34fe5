// The example of JSON documents: the examples of RedisJSON's documentation, and what its paths select.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import json from '../../examples/json.ts'
import { pathOf, select } from '../../examples/json-path.ts'
import { parsed, textOf } from '../../examples/json-text.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { RespError } from '../../test/harness/resp.ts'
import { seededRandom } from '../system/random.ts'
import { virtualSystem } from '../system/virtual.ts'

async function start() {
  const machine = virtualSystem({ seed: 1 })
  const settings = { appendonly: 'yes' }
  const server = await MachineServer.start(machine, settings, { modules: [{ module: json }] })
  const call = (...words: (string | number)[]) => {
    const reply = server.call(...words.map(String))
    return reply instanceof RespError ? reply.message : reply
  }
  return { machine, server, settings, call }
}

test('examples of the documentation', async () => {
  const { call } = await start()
  const cases: [command: string, ...rest: unknown[]][] = [
    ['JSON.SET|animal|$|"dog"', 'OK'],
    ['JSON.GET|animal|$', '["dog"]'],
    ['JSON.TYPE|animal|$', ['string']],
    ['JSON.STRLEN|animal|$', [3]],
    ['JSON.STRAPPEND|animal|$|" (Canis familiaris)"', [22]],
    ['JSON.GET|animal|$', '["dog (Canis familiaris)"]'],
    ['JSON.SET|num|$|0', 'OK'],
    ['JSON.NUMINCRBY|num|$|1', '[1]'],
    ['JSON.NUMINCRBY|num|$|1.5', '[2.5]'],
    ['JSON.NUMINCRBY|num|$|-0.75', '[1.75]'],
    ['JSON.NUMMULTBY|num|$|24', '[42.0]'],
    ['JSON.SET|example|$|[true,{"answer":42},null]', 'OK'],
    ['JSON.GET|example|$', '[[true,{"answer":42},null]]'],
    ['JSON.GET|example|$[1].answer', '[42]'],
    ['JSON.DEL|example|$[-1]', 1],
    ['JSON.GET|example|$', '[[true,{"answer":42}]]'],
    ['JSON.SET|arr|$|[]', 'OK'],
    ['JSON.ARRAPPEND|arr|$|0', [1]],
    ['JSON.GET|arr|$', '[[0]]'],
    ['JSON.ARRINSERT|arr|$|0|-2|-1', [3]],
    ['JSON.ARRTRIM|arr|$|1|1', [1]],
    ['JSON.ARRPOP|arr|$', ['-1']],
    ['JSON.ARRPOP|arr|$', [null]],
    ['JSON.SET|obj|$|{"name":"Leonard Cohen","lastSeen":1478476800,"loggedOut":true}', 'OK'],
    ['JSON.OBJLEN|obj|$', [3]],
    ['JSON.OBJKEYS|obj|$', [['name', 'lastSeen', 'loggedOut']]],
    ['JSON.TOGGLE|obj|$.loggedOut', [0]],
    ['JSON.SET|doc|$|{"a":2, "b": 3, "nested": {"a": 4, "b": null}}', 'OK'],
    ['JSON.GET|doc|$..b', '[3,null]'],
    ['JSON.GET|doc|..a|$..b', '{"..a":[2,4],"$..b":[3,null]}'],
    ['JSON.DEL|doc|$..a', 2],
    ['JSON.GET|doc|$', '[{"b":3,"nested":{"b":null}}]'],
    ['JSON.SET|doc2|$|{"a":[1,2],"nested":{"a":[4,5]}}', 'OK'],
    ['JSON.ARRINDEX|doc2|$..a|2', [1, -1]],
    ['JSON.ARRLEN|doc2|$..a', [2, 2]],
    ['JSON.CLEAR|doc2|$..a', 2],
    ['JSON.GET|doc2', '{"a":[],"nested":{"a":[]}}'],
    ['JSON.MSET|d1|$|{"a":1}|d2|$|{"a":2}', 'OK'],
    ['JSON.MGET|d1|none|d2|$..a', ['[1]', null, '[2]']],
    ['JSON.MERGE|d1|$|{"a":null,"b":[1]}', 'OK'],
    ['JSON.GET|d1|$', '[{"b":[1]}]'],
    ['JSON.GET|none|$', null],
    ['JSON.DEL|none', 0],
    ['JSON.FORGET|d1', 1],
    ['EXISTS|d1', 0],
  ]
  for (const [line, expected] of cases) assert.deepEqual(call(...line.split('|')), expected, line)
})

test('older paths mean one value, and say what is wrong', async () => {
  const { call } = await start()
  assert.equal(call('JSON.SET', 'k', '.a', '1'), 'ERR new objects must be created at the root')
  call('JSON.SET', 'k', '.', '{"a":{"b":[1,"x"]},"n":1.5}')
  assert.equal(call('JSON.GET', 'k', '.a.b[1]'), '"x"')
  assert.equal(call('JSON.GET', 'k', 'a.b'), '[1,"x"]')
  assert.equal(call('JSON.GET', 'k', '.c'), "ERR Path '$.c' does not exist")
  assert.equal(call('JSON.TYPE', 'k', '.n'), 'number')
  assert.equal(call('JSON.TYPE', 'k', '.a.b[0]'), 'integer')
  assert.equal(call('JSON.STRLEN', 'k', '.a'), 'WRONGTYPE wrong type of path value - expected string but found object')
  assert.equal(call('JSON.NUMINCRBY', 'k', '.n', '1'), '2.5')
  assert.equal(
    call('JSON.GET', 'k', 'INDENT', '  ', 'NEWLINE', '\n', 'SPACE', ' ', '.a'),
    '{\n  "b": [\n    1,\n    "x"\n  ]\n}',
  )
  assert.equal(call('JSON.SET', 'k', '.a.c', '1', 'XX'), null)
  assert.equal(call('JSON.SET', 'k', '.a.c', '1', 'NX'), 'OK')
  assert.equal(call('JSON.SET', 'k', '.a.c', '2', 'NX'), null)
  assert.equal(
    call('JSON.NUMINCRBY', 'none', '.', '1'),
    "ERR could not perform this operation on a key that doesn't exist",
  )
  assert.match(String(call('JSON.SET', 'k', '.', '{')), /^ERR /)
  assert.match(String(call('JSON.GET', 'k', '$[')), /^ERR Error occurred on position 3/)
  assert.deepEqual(call('JSON.TOGGLE', 'k', '.n'), "ERR Path '$.n' does not exist or not a bool")
  assert.deepEqual(call('JSON.ARRPOP', 'k', '.none'), "ERR Path '$.none' does not exist or not an array")
  assert.equal(call('JSON.OBJLEN', 'k', '.none'), null)
  assert.ok(Number(call('JSON.DEBUG', 'MEMORY', 'k')) > Number(call('JSON.DEBUG', 'MEMORY', 'k', '.a')))
  call('SET', 'text', 'x')
  assert.equal(call('JSON.GET', 'text'), 'ERR Existing key has wrong Redis type')
})

test('integers and doubles are two kinds of numbers', async () => {
  const { call } = await start()
  const cases: [value: string, command: string, ...rest: unknown[]][] = [
    ['[1,1.0,-0,1e2,2.50]', 'JSON.GET|k', '[1,1.0,-0.0,100.0,2.5]'],
    ['[1e16,123456.75e-9,1e15]', 'JSON.GET|k', '[1e16,0.00012345675,1000000000000000.0]'],
    ['1.6350000000001313e+308', 'JSON.GET|k', '1.6350000000001313e308'],
    ['[3.0,3]', 'JSON.ARRINDEX|k|.|3', 1],
    ['[3.0,3]', 'JSON.GET|k|$[?(@==3)]', '[3.0,3]'],
    ['9007199254740993', 'JSON.NUMINCRBY|k|.|1', '9007199254740994'],
    ['9223372036854775807', 'JSON.NUMINCRBY|k|.|1', 'ERR numeric overflow'],
    ['-9223372036854775808', 'JSON.NUMMULTBY|k|.|2', 'ERR numeric overflow'],
    ['2', 'JSON.NUMPOWBY|k|.|62', '4611686018427387904'],
    ['-1', 'JSON.NUMPOWBY|k|.|101', '-1'],
    ['2', 'JSON.NUMPOWBY|k|.|-1', '0.5'],
    ['2', 'JSON.NUMPOWBY|k|.|64', 'ERR numeric overflow'],
    ['9223372036854775808', 'JSON.TYPE|k', 'integer'],
    ['9223372036854775808', 'JSON.NUMINCRBY|k|$|1', '[9.223372036854776e18]'],
    ['18446744073709551616', 'JSON.TYPE|k', 'number'],
    ['5', 'JSON.NUMMULTBY|k|$|2.0', '[10.0]'],
  ]
  for (const [value, command, expected] of cases) {
    call('JSON.SET', 'k', '$', value)
    assert.deepEqual(call(...command.split('|')), expected, `${value} ${command}`)
  }
})

test('values within one another: inner ones change first, outer ones are removed', async () => {
  const { call } = await start()
  const cases: [value: string, command: string, reply: unknown, after: string | null][] = [
    ['{"a":{"a":2,"b":3},"c":1}', 'JSON.DEL|k|$..a', 1, '{"c":1}'],
    ['[[1],[1,2,3]]', 'JSON.DEL|k|$..[0]', 2, '[[2,3]]'],
    ['[1,2,3]', 'JSON.DEL|k|$[1,2,0]', 3, null],
    ['{"a":1}', 'JSON.DEL|k|$.a', 1, null],
    [
      '{"a":[[1,2,3],[4,5,6]]}',
      'JSON.ARRPOP|k|$..*',
      ['[4,5,6]', '3', '6', null, null, null, null, null, null],
      '{"a":[[1,2]]}',
    ],
    ['{"a":[[1,2,3],[4,5,6]]}', 'JSON.ARRTRIM|k|$.a[*]|0|0', [1, 1], '{"a":[[1],[4]]}'],
    ['{"a":{"b":{"b":1}}}', 'JSON.MERGE|k|$..b|{"f":3}', 'OK', '{"a":{"b":{"b":{"f":3},"f":3}}}'],
  ]
  for (const [value, command, expected, after] of cases) {
    call('JSON.SET', 'k', '$', value)
    assert.deepEqual(call(...command.split('|')), expected, command)
    assert.equal(call('JSON.GET', 'k'), after, command)
  }
})

test('documents are no deeper than their limit', async () => {
  const { call } = await start()
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  assert.equal(call('JSON.SET', 'k', '$', nested(127)), 'OK')
  assert.match(String(call('JSON.SET', 'k', '$', nested(128))), /^ERR recursion limit exceeded/)
  call('JSON.SET', 'k', '$', `{"a":0,"b":${nested(100)},"c":{"x":0}}`)
  assert.equal(call('JSON.SET', 'k', '$.b[0][0]', nested(125)), null)
  assert.equal(call('JSON.SET', 'k', '$..[?(@==0)]', nested(126)), null, 'one of them is set')
  assert.deepEqual(call('JSON.TYPE', 'k', '$.a'), ['array'])
  assert.deepEqual(call('JSON.TYPE', 'k', '$.c.x'), ['integer'])
  assert.equal(call('JSON.ARRAPPEND', 'k', '.b', nested(126)), 'ERR recursion limit exceeded')
})

test('a command that is refused has changed nothing', async () => {
  const { call } = await start()
  const text = '{"a":[1,2,3],"b":{"a":[4]}}'
  call('JSON.SET', 'k', '$', text)
  const before = call('MEMORY', 'USAGE', 'k')
  assert.match(String(call('JSON.ARRAPPEND', 'k', '$.a', '1', '{')), /^ERR/)
  assert.equal(call('JSON.ARRINSERT', 'k', '$..a', '2', '0'), 'ERR index out of bounds')
  assert.equal(call('JSON.NUMMULTBY', 'k', '$..a[*]', '1e308'), 'ERR result is not a number')
  assert.equal(call('JSON.GET', 'k'), text)
  assert.deepEqual(call('JSON.ARRAPPEND', 'k', '$..a', '{"x":1}', '2'), [5, 3])
  assert.deepEqual(call('JSON.ARRPOP', 'k', '$..a'), ['2', '2'])
  assert.deepEqual(call('JSON.ARRPOP', 'k', '$..a', '-1'), ['{"x":1}', '{"x":1}'])
  assert.equal(call('JSON.GET', 'k'), text)
  assert.equal(call('MEMORY', 'USAGE', 'k'), before)
})

test('paths select as they are documented', () => {
  const store = parsed(
    '{"book":[{"t":"A","p":8.95,"k":"x"},{"t":"B","p":12.99},{"t":"C","p":8.99,"isbn":"1"},{"t":"D","p":22.99,"isbn":"2"}],' +
      '"max":10,"odd name":[0,1,2,3,4,5]}',
  )
  const cases: [path: string, values: string][] = [
    ['$.book[*].t', '["A","B","C","D"]'],
    ['$..t', '["A","B","C","D"]'],
    ['$.book[-1].t', '["D"]'],
    ['$.book[0,2].t', '["A","C"]'],
    ['$.book[:2].t', '["A","B"]'],
    ['$.book[1:].t', '["B","C","D"]'],
    ["$['odd name'][1:5:2]", '[1,3]'],
    ['$["max","none"]', '[10]'],
    ['$.book[?(@.isbn)].t', '["C","D"]'],
    ['$.book[?(@.p < 10)].t', '["A","C"]'],
    ['$.book[?(@.p<$.max && @.isbn)].t', '["C"]'],
    ['$.book[?(@.t=="B" || @.p>=22.99)].t', '["B","D"]'],
    ['$.book[?(!(@.isbn))].t', '["A","B"]'],
    ['$.none', '[]'],
    ['$.book.t', '[]'],
    ['$.book[9]', '[]'],
  ]
  const odd = parsed('{"$a":1,"a":2,"f]":[3],"x\\\\":4}')
  for (const [path, values] of [
    ['$a', '[1]'],
    ['.["a"]', '[2]'],
    ['.["f]"][0]', '[3]'],
    ['$["x\\\\"]', '[4]'],
  ])
    assert.equal(textOf(select(odd, pathOf(path)).map(node => node.value)), values, path)
  for (const [path, values] of cases)
    assert.equal(textOf(select(store, pathOf(path)).map(node => node.value)), values, path)
})

test('FORMAT and RESP3', async () => {
  const { call } = await start()
  call('JSON.SET', 'k', '$', '{"a":[{"b":2},1.5,true],"n":1}')
  assert.equal(call('JSON.GET', 'k', 'FORMAT', 'EXPAND', '$'), 'ERR FORMAT argument is not supported on RESP2')
  assert.equal(call('JSON.ARRPOP', 'k', 'FORMAT', 'STRING', '$.a'), 'ERR wrong reply format')
  assert.deepEqual(call('JSON.TYPE', 'k', '$.n'), ['integer'])
  call('HELLO', '3')
  // Maps are shown as flat lists here, doubles as text, booleans as integers.
  assert.deepEqual(call('JSON.GET', 'k', 'FORMAT', 'EXPAND', '$.a', '$.n'), [[[['b', 2], '1.5', 1]], [1]])
  assert.deepEqual(call('JSON.GET', 'k', 'FORMAT', 'EXPAND1', '$.a[*]'), [['{"b":2}', '1.5', 1]])
  assert.equal(call('JSON.GET', 'k', 'FORMAT', 'STRING', '$.n'), '[1]')
  assert.deepEqual(call('JSON.NUMINCRBY', 'k', '$..n', '1'), [2])
  assert.equal(call('JSON.NUMINCRBY', 'k', '.n', '1'), '3')
  assert.deepEqual(call('JSON.TYPE', 'k', '$.n'), [['integer']])
  assert.deepEqual(call('JSON.ARRPOP', 'k', 'FORMAT', 'EXPAND', '$.a', '0'), [['b', 2]])
})

test('names of fields are only names', async () => {
  const { call } = await start()
  call('JSON.SET', 'k', '$', '{"__proto__":{"a":1},"constructor":2}')
  assert.equal(call('JSON.GET', 'k', '$.__proto__.a'), '[1]')
  assert.equal(call('JSON.SET', 'k', '$.toString', '3'), 'OK')
  assert.equal(call('JSON.GET', 'k'), '{"__proto__":{"a":1},"constructor":2,"toString":3}')
  assert.deepEqual(call('JSON.MGET', 'k', '$.hasOwnProperty'), ['[]'])
})

test('documents are in files, copies and payloads, and their bytes are counted', async () => {
  const { machine, server, settings, call } = await start()
  call('JSON.SET', 'k', '$', '{"list":[1,2,3],"text":"x"}')
  call('JSON.ARRAPPEND', 'k', '$.list', '{"deep":[null,true]}')
  call('COPY', 'k', 'copy')
  call('JSON.DEL', 'copy', '$.list')
  assert.equal(call('JSON.GET', 'copy'), '{"text":"x"}')
  assert.equal(call('TYPE', 'k'), 'ReJSON-RL')
  const before = Number(call('MEMORY', 'USAGE', 'k'))
  call('JSON.SET', 'k', '$.big', JSON.stringify('x'.repeat(1000)))
  assert.ok(Number(call('MEMORY', 'USAGE', 'k')) >= before + 1000)
  call('JSON.DEL', 'k', '$.big')
  assert.equal(Number(call('MEMORY', 'USAGE', 'k')), before)
  const digest = call('DEBUG', 'DIGEST')
  await server.stop()
  const again = await MachineServer.start(machine, settings, { modules: [{ module: json }] })
  assert.equal(again.call('DEBUG', 'DIGEST'), digest)
  assert.equal(again.call('JSON.GET', 'k', '$.list[3].deep'), '[[null,true]]')
})

test('random changes leave what they leave in a plain document', async () => {
  const { call } = await start()
  const random = seededRandom(7)
  const below = (n: number) => random.u32() % n
  const model: { [field: string]: number[] } = {}
  call('JSON.SET', 'k', '$', '{}')
  for (let i = 0; i < 2000; i++) {
    const field = `f${below(8)}`
    const path = `$.${field}`
    const list = model[field]
    const kind = below(6)
    if (list === undefined) {
      call('JSON.SET', 'k', path, '[]')
      model[field] = []
    } else if (kind === 0) {
      call('JSON.DEL', 'k', path)
      delete model[field]
    } else if (kind === 1) assert.deepEqual(call('JSON.ARRAPPEND', 'k', path, i), [list.push(i)])
    else if (kind === 2) {
      const at = below(list.length + 1)
      list.splice(at, 0, i)
      assert.deepEqual(call('JSON.ARRINSERT', 'k', path, at, i), [list.length])
    } else if (kind === 3)
      assert.deepEqual(call('JSON.ARRPOP', 'k', path), [list.length > 0 ? String(list.pop()) : null])
    else if (kind === 4 && list.length > 0) {
      const at = below(list.length)
      list[at] += 5
      assert.equal(call('JSON.NUMINCRBY', 'k', `${path}[${at}]`, 5), `[${list[at]}]`)
    } else assert.deepEqual(call('JSON.ARRINDEX', 'k', path, i - 3), [list.indexOf(i - 3)])
  }
  assert.deepEqual(JSON.parse(String(call('JSON.GET', 'k'))), model)
})
