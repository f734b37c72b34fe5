import { type CommandText, conversation } from '../../../test/harness/conversation.ts'
import type { Expected } from '../../../test/harness/expect.ts'

/** A script and its result. */
function runs(script: string, expected: Expected): [CommandText, Expected] {
  return [['EVAL', script, 0], expected]
}

function gives(expression: string, expected: Expected): [CommandText, Expected] {
  return runs(`return ${expression}`, expected)
}

/** The arguments of pcall() and the text of the error it catches. */
function fails(call: string, text: string): [CommandText, Expected] {
  return gives(`select(2, pcall(${call}))`, text)
}

conversation('cjson writes scalars, numbers with 14 digits', async c => {
  await c.expectAll(
    gives('cjson.encode(nil)', 'null'),
    gives('cjson.encode(true)', 'true'),
    gives('cjson.encode(cjson.null)', 'null'),
    gives('cjson.encode(1)', '1'),
    gives('cjson.encode(-0)', '-0'),
    gives('cjson.encode(1/3)', '0.33333333333333'),
    gives('cjson.encode(2^53)', '9.007199254741e+15'),
    gives('cjson.encode(1e100)', '1e+100'),
    gives('cjson.encode(99999999999999)', '99999999999999'),
    gives('cjson.encode(0.1)', '0.1'),
    gives('cjson.encode("text")', '"text"'),
    gives(
      'cjson.encode("a/b\\"\\\\c\\n\\r\\t\\b\\f\\v\\0\\31\\127\\128\\255")',
      '"a\\/b\\"\\\\c\\n\\r\\t\\b\\f\\u000b\\u0000\\u001f\\u007f\x80\xff"',
    ),
  )
})

conversation('cjson writes a table with positive integer keys alone as an array', async c => {
  await c.expectAll(
    gives('cjson.encode({})', '{}'),
    gives('cjson.encode({1,2,3})', '[1,2,3]'),
    gives('cjson.encode({1,nil,3})', '[1,null,3]'),
    gives('cjson.encode({[2]=1})', '[null,1]'),
    gives('cjson.encode({[10]=1})', '[null,null,null,null,null,null,null,null,null,1]'),
    gives(
      'cjson.encode({1,2,3,4,5,6,7,8,9,10,[22]=1})',
      '[1,2,3,4,5,6,7,8,9,10,null,null,null,null,null,null,null,null,null,null,null,1]',
    ),
    gives('cjson.encode({[0]=1})', '{"0":1}'),
    gives('cjson.encode({[1.5]=1})', '{"1.5":1}'),
    gives('cjson.encode({[-1]=1})', '{"-1":1}'),
    gives('cjson.encode({1,2,a=3})', '{"1":1,"2":2,"a":3}'),
    gives('cjson.encode({{},{{}}})', '[{},[{}]]'),
    gives('cjson.encode({a={b={1,{c=cjson.null}}}})', '{"a":{"b":[1,{"c":null}]}}'),
    gives('cjson.encode({a=1,b=2,c=3,d=4,e=5,f=6,g=7})', '{"a":1,"c":3,"b":2,"e":5,"d":4,"g":7,"f":6}'),
    gives('cjson.encode({[2^31]=1})', '{"2147483648":1}'),
    gives('cjson.encode({["a/b"]=1})', '{"a\\/b":1}'),
    gives('cjson.encode(setmetatable({}, {__index=function() return 1 end}))', '{}'),
  )
})

conversation(
  'what cjson cannot write is an error',
  async c => {
    await c.expectAll(
      fails('cjson.encode', "bad argument #1 to '?' (expected 1 argument)"),
      fails('cjson.encode, 1, 2', "bad argument #1 to '?' (expected 1 argument)"),
      fails('cjson.encode, type', 'Cannot serialise function: type not supported'),
      fails('cjson.encode, newproxy()', 'Cannot serialise userdata: type not supported'),
      fails('cjson.encode, {f=type}', 'Cannot serialise function: type not supported'),
      fails('cjson.encode, 1/0', 'Cannot serialise number: must not be NaN or Inf'),
      fails('cjson.encode, {0/0}', 'Cannot serialise number: must not be NaN or Inf'),
      fails('cjson.encode, {[1/0]=1}', 'Cannot serialise number: must not be NaN or Inf'),
      fails('cjson.encode, {[true]=1}', 'Cannot serialise boolean: table key must be a number or string'),
      fails('cjson.encode, {[{}]=1}', 'Cannot serialise table: table key must be a number or string'),
      fails('cjson.encode, {[11]=1}', 'Cannot serialise table: excessively sparse array'),
      fails('cjson.encode, {1,2,3,4,5,6,7,8,9,10,[23]=1}', 'Cannot serialise table: excessively sparse array'),
    )
  },
  { since: '7.2' },
)

conversation('cjson reads what JSON has and what C takes for numbers', async c => {
  await c.expectAll(
    gives("cjson.encode({cjson.decode('1')})", '[1]'),
    gives("cjson.encode({cjson.decode('-1.5e3')})", '[-1500]'),
    gives('cjson.encode({cjson.decode(\'"a"\')})', '["a"]'),
    gives("cjson.encode({cjson.decode('[]')})", '[{}]'),
    gives("cjson.encode({cjson.decode('{}')})", '[{}]'),
    gives("cjson.encode({cjson.decode('[1,2,3]')})", '[[1,2,3]]'),
    gives('cjson.encode({cjson.decode(\'[null,{"a":[true,false]}]\')})', '[[null,{"a":[true,false]}]]'),
    gives('cjson.encode({cjson.decode(\'{"a":1,"a":2}\')})', '[{"a":2}]'),
    gives('cjson.encode({cjson.decode(\'{"":1}\')})', '[{"":1}]'),
    gives("cjson.encode({cjson.decode(' \\t\\n\\r[ 1 , 2 ] ')})", '[[1,2]]'),
    gives("cjson.encode({cjson.decode('+5')})", '[5]'),
    gives("cjson.encode({cjson.decode('007')})", '[7]'),
    gives("cjson.encode({cjson.decode('0x1F')})", '[31]'),
    gives("cjson.encode({cjson.decode('-0x10')})", '[-16]'),
    gives("cjson.encode({cjson.decode('0x1.8p1')})", '[3]'),
    gives("cjson.encode({cjson.decode('1.')})", '[1]'),
    gives("cjson.encode({cjson.decode('1e-400')})", '[0]'),
    gives("cjson.encode({cjson.decode('123456789012345678')})", '[1.2345678901235e+17]'),
    gives('cjson.encode({cjson.decode(\'"\\255\\254"\')})', '["\xff\xfe"]'),
    gives(
      'cjson.encode({cjson.decode(\'"\\\\b\\\\t\\\\n\\\\f\\\\r\\\\/\\\\\\\\\\\\""\')})',
      '["\\b\\t\\n\\f\\r\\/\\\\\\""]',
    ),
    gives(
      'cjson.encode({cjson.decode(\'"\\\\u0000\\\\u00E9\\\\u07ff\\\\u0800\\\\uffff"\')})',
      '["\\u0000\xc3\xa9\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"]',
    ),
    gives('cjson.encode({cjson.decode(\'"\\\\ud83d\\\\ude00"\')})', '["\xf0\x9f\x98\x80"]'),
  )
})

conversation('cjson says what it expected and what it found, and where', async c => {
  await c.expectAll(
    fails("cjson.decode, ''", 'Expected value but found T_END at character 1'),
    fails("cjson.decode, '  '", 'Expected value but found T_END at character 3'),
    fails("cjson.decode, 'nul'", 'Expected value but found invalid token at character 1'),
    fails("cjson.decode, 'tru e'", 'Expected value but found invalid token at character 1'),
    fails("cjson.decode, '-'", 'Expected value but found invalid number at character 1'),
    fails("cjson.decode, '1.2.3'", 'Expected the end but found invalid token at character 4'),
    fails("cjson.decode, '1 x'", 'Expected the end but found invalid token at character 3'),
    fails("cjson.decode, '[1] ]'", 'Expected the end but found T_ARR_END at character 5'),
    fails("cjson.decode, '[1,]'", 'Expected value but found T_ARR_END at character 4'),
    fails("cjson.decode, '[,1]'", 'Expected value but found T_COMMA at character 2'),
    fails("cjson.decode, '[1 2]'", 'Expected comma or array end but found T_NUMBER at character 4'),
    fails("cjson.decode, '[1'", 'Expected comma or array end but found T_END at character 3'),
    fails("cjson.decode, '[1}'", 'Expected comma or array end but found T_OBJ_END at character 3'),
    fails("cjson.decode, '['", 'Expected value but found T_END at character 2'),
    fails("cjson.decode, '{'", 'Expected object key string but found T_END at character 2'),
    fails('cjson.decode, \'{"a"\'', 'Expected colon but found T_END at character 5'),
    fails('cjson.decode, \'{"a":\'', 'Expected value but found T_END at character 6'),
    fails('cjson.decode, \'{"a":1\'', 'Expected comma or object end but found T_END at character 7'),
    fails('cjson.decode, \'{"a":1,}\'', 'Expected object key string but found T_OBJ_END at character 8'),
    fails("cjson.decode, '{a:1}'", 'Expected object key string but found invalid token at character 2'),
    fails('cjson.decode, \'{"a" 1}\'', 'Expected colon but found T_NUMBER at character 6'),
    fails('cjson.decode, \'{"a":1 "b":2}\'', 'Expected comma or object end but found T_STRING at character 8'),
    fails('cjson.decode, \'{"a"::1}\'', 'Expected value but found T_COLON at character 6'),
    fails("cjson.decode, ':'", 'Expected value but found T_COLON at character 1'),
    fails("cjson.decode, '\"abc'", 'Expected value but found unexpected end of string at character 5'),
    fails('cjson.decode, \'"a\\0"\'', 'Expected value but found unexpected end of string at character 3'),
    fails("cjson.decode, '\"a\\\\'", 'Expected value but found invalid escape code at character 3'),
    fails('cjson.decode, \'"\\\\x"\'', 'Expected value but found invalid escape code at character 2'),
    fails('cjson.decode, \'"\\\\u12G4"\'', 'Expected value but found invalid unicode escape code at character 2'),
    fails('cjson.decode, \'"\\\\ud83d"\'', 'Expected value but found invalid unicode escape code at character 2'),
    fails(
      'cjson.decode, \'"\\\\ud83d\\\\x41"\'',
      'Expected value but found invalid unicode escape code at character 2',
    ),
    fails('cjson.decode, \'"\\\\ude00"\'', 'Expected value but found invalid unicode escape code at character 2'),
    fails("cjson.decode, '@'", 'Expected value but found invalid token at character 1'),
    fails("cjson.decode, '\\v1'", 'Expected value but found invalid token at character 1'),
    fails("cjson.decode, '\\0001'", 'JSON parser does not support UTF-16 or UTF-32'),
    fails("cjson.decode, 'a\\0'", 'JSON parser does not support UTF-16 or UTF-32'),
  )
})

conversation('cjson checks its arguments', async c => {
  await c.expectAll(
    fails('cjson.decode', "bad argument #1 to '?' (expected 1 argument)"),
    fails('cjson.decode, 1, 2', "bad argument #1 to '?' (expected 1 argument)"),
    fails('cjson.decode, {}', "bad argument #1 to '?' (string expected, got table)"),
    fails('cjson.decode, nil', "bad argument #1 to '?' (string expected, got nil)"),
    fails('cjson.encode_max_depth, 0', "bad argument #1 to '?' (expected integer between 1 and 2147483647)"),
    fails('cjson.encode_max_depth, 1, 2', "bad argument #2 to '?' (found too many arguments)"),
    fails('cjson.encode_max_depth, "x"', "bad argument #1 to '?' (number expected, got string)"),
    fails('cjson.encode_number_precision, 15', "bad argument #1 to '?' (expected integer between 1 and 14)"),
    fails('cjson.encode_invalid_numbers, "no"', "bad argument #1 to '?' (invalid option 'no')"),
    fails('cjson.encode_invalid_numbers, {}', "bad argument #1 to '?' (string expected, got table)"),
    fails('cjson.encode_sparse_array, true, -1', "bad argument #1 to '?' (expected integer between 0 and 2147483647)"),
    fails('cjson.encode_sparse_array, 1', "bad argument #1 to '?' (invalid option '1')"),
    fails('function() cjson.x = 1 end', 'user_script:1: Attempt to modify a readonly table'),
    fails('function() cjson.decode("x") end', 'user_script:1: Expected value but found invalid token at character 1'),
  )
})

conversation("a cjson table of one's own has settings of its own", async c => {
  await c.expectAll(
    runs('local c = cjson.new() return c.encode_max_depth()', 1000),
    runs(
      'local c = cjson.new() return {c.encode_max_depth(5), c.decode_max_depth(6), c.encode_max_depth(), cjson.encode_max_depth()}',
      [5, 6, 5, 1000],
    ),
    runs('local c = cjson.new() local a, b, d = c.encode_sparse_array(true, 3, 5) return {tostring(a), b, d}', [
      'true',
      3,
      5,
    ]),
    runs('local c = cjson.new() return tostring(c.encode_keep_buffer(false))', 'false'),
    runs('local c = cjson.new() return {c.encode_invalid_numbers("null"), c.encode({1/0, 0/0})}', [
      'null',
      '[null,null]',
    ]),
    runs('local c = cjson.new() return {tostring(c.encode_invalid_numbers("on")), c.encode({1/0, -1/0, 0/0})}', [
      'true',
      '[inf,-inf,nan]',
    ]),
    runs('local c = cjson.new() c.encode_number_precision(3) return c.encode({1234.5, 0.12345})', '[1.23e+03,0.123]'),
    runs('local c = cjson.new() c.encode_sparse_array(true) return c.encode({[20]=1})', '{"20":1}'),
    runs(
      'local c = cjson.new() c.encode_sparse_array(false, 0) return c.encode({[12]=1})',
      '[null,null,null,null,null,null,null,null,null,null,null,1]',
    ),
  )
})

conversation('a cjson table reads numbers as it is set to, and has the names of cjson', async c => {
  await c.expectAll(
    runs(
      'local c = cjson.new() c.decode_invalid_numbers("off") return select(2, pcall(c.decode, "[0x1]"))',
      'Expected value but found invalid number at character 2',
    ),
    runs(
      'local c = cjson.new() c.decode_invalid_numbers(false) return select(2, pcall(c.decode, "01"))',
      'Expected value but found invalid number at character 1',
    ),
    runs(
      'local c = cjson.new() c.decode_invalid_numbers(false) return select(2, pcall(c.decode, "nan"))',
      'Expected value but found invalid token at character 1',
    ),
    runs(
      'local c = cjson.new() c.decode_invalid_numbers(false) return c.encode({c.decode("[0, -1.5, 2e3]")})',
      '[[0,-1.5,2000]]',
    ),
    runs(
      'local c = cjson.new() return {c._NAME, c._VERSION, type(c.null), tostring(c.null), tostring(c.null == cjson.null)}',
      ['cjson', '2.1.0', 'userdata', 'userdata: (nil)', 'true'],
    ),
    runs('local c = cjson.new() local names = {} for name in pairs(c) do names[#names + 1] = name end return names', [
      '_NAME',
      'encode',
      'decode_max_depth',
      '_VERSION',
      'decode_invalid_numbers',
      'encode_keep_buffer',
      'null',
      'encode_number_precision',
      'new',
      'encode_max_depth',
      'encode_invalid_numbers',
      'decode',
      'encode_sparse_array',
    ]),
  )
})

conversation("cjson goes no deeper than it is set to, and Lua's stack is", async c => {
  await c.expectAll(
    runs('local t = {} for i = 1, 999 do t = {t} end return #cjson.encode(t)', 2000),
    runs(
      'local t = {} for i = 1, 1000 do t = {t} end return select(2, pcall(cjson.encode, t))',
      'Cannot serialise, excessive nesting (1001)',
    ),
    runs('local t = {} t.t = t return select(2, pcall(cjson.encode, t))', 'Cannot serialise, excessive nesting (1001)'),
    gives('type(cjson.decode(("["):rep(1000) .. ("]"):rep(1000)))', 'table'),
    fails('cjson.decode, (" ["):rep(1001)', 'Found too many nested data structures (1001) at character 2002'),
    fails('cjson.decode, (\'{"a":\'):rep(1001)', 'Found too many nested data structures (1001) at character 5001'),
    runs(
      'local c = cjson.new() c.decode_max_depth(1e5) return select(2, pcall(c.decode, ("["):rep(9000)))',
      'Found too many nested data structures (7999) at character 7999',
    ),
    runs(
      'local c = cjson.new() c.decode_max_depth(1e5) return select(2, pcall(c.decode, (\'{"a":\'):rep(9000)))',
      'Found too many nested data structures (4000) at character 19996',
    ),
    runs(
      'local c = cjson.new() c.encode_max_depth(1e5) local t = {} for i = 1, 9000 do t = {t} end return select(2, pcall(c.encode, t))',
      'Cannot serialise, excessive nesting (7998)',
    ),
    runs(
      'local c = cjson.new() c.encode_max_depth(1e5) local t = {} for i = 1, 9000 do t = {a = t} end return select(2, pcall(c.encode, t))',
      'Cannot serialise, excessive nesting (4000)',
    ),
  )
})
