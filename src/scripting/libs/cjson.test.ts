import { conversation } from '../../../test/harness/conversation.ts'

conversation('cjson writes scalars, numbers with 14 digits', async c => {
  await c.expectAll(
    [['EVAL', 'return cjson.encode(nil)', 0], 'null'],
    [['EVAL', 'return cjson.encode(true)', 0], 'true'],
    [['EVAL', 'return cjson.encode(cjson.null)', 0], 'null'],
    [['EVAL', 'return cjson.encode(1)', 0], '1'],
    [['EVAL', 'return cjson.encode(-0)', 0], '-0'],
    [['EVAL', 'return cjson.encode(1/3)', 0], '0.33333333333333'],
    [['EVAL', 'return cjson.encode(2^53)', 0], '9.007199254741e+15'],
    [['EVAL', 'return cjson.encode(1e100)', 0], '1e+100'],
    [['EVAL', 'return cjson.encode(99999999999999)', 0], '99999999999999'],
    [['EVAL', 'return cjson.encode(0.1)', 0], '0.1'],
    [['EVAL', 'return cjson.encode("text")', 0], '"text"'],
    [
      ['EVAL', 'return cjson.encode("a/b\\"\\\\c\\n\\r\\t\\b\\f\\v\\0\\31\\127\\128\\255")', 0],
      '"a\\/b\\"\\\\c\\n\\r\\t\\b\\f\\u000b\\u0000\\u001f\\u007f\x80\xff"',
    ],
  )
})

conversation('cjson writes a table with positive integer keys alone as an array', async c => {
  await c.expectAll(
    [['EVAL', 'return cjson.encode({})', 0], '{}'],
    [['EVAL', 'return cjson.encode({1,2,3})', 0], '[1,2,3]'],
    [['EVAL', 'return cjson.encode({1,nil,3})', 0], '[1,null,3]'],
    [['EVAL', 'return cjson.encode({[2]=1})', 0], '[null,1]'],
    [['EVAL', 'return cjson.encode({[10]=1})', 0], '[null,null,null,null,null,null,null,null,null,1]'],
    [
      ['EVAL', 'return cjson.encode({1,2,3,4,5,6,7,8,9,10,[22]=1})', 0],
      '[1,2,3,4,5,6,7,8,9,10,null,null,null,null,null,null,null,null,null,null,null,1]',
    ],
    [['EVAL', 'return cjson.encode({[0]=1})', 0], '{"0":1}'],
    [['EVAL', 'return cjson.encode({[1.5]=1})', 0], '{"1.5":1}'],
    [['EVAL', 'return cjson.encode({[-1]=1})', 0], '{"-1":1}'],
    [['EVAL', 'return cjson.encode({1,2,a=3})', 0], '{"1":1,"2":2,"a":3}'],
    [['EVAL', 'return cjson.encode({{},{{}}})', 0], '[{},[{}]]'],
    [['EVAL', 'return cjson.encode({a={b={1,{c=cjson.null}}}})', 0], '{"a":{"b":[1,{"c":null}]}}'],
    [['EVAL', 'return cjson.encode({a=1,b=2,c=3,d=4,e=5,f=6,g=7})', 0], '{"a":1,"c":3,"b":2,"e":5,"d":4,"g":7,"f":6}'],
    [['EVAL', 'return cjson.encode({[2^31]=1})', 0], '{"2147483648":1}'],
    [['EVAL', 'return cjson.encode({["a/b"]=1})', 0], '{"a\\/b":1}'],
    [['EVAL', 'return cjson.encode(setmetatable({}, {__index=function() return 1 end}))', 0], '{}'],
  )
})

conversation(
  'what cjson cannot write is an error',
  async c => {
    await c.expectAll(
      [['EVAL', 'return select(2, pcall(cjson.encode))', 0], "bad argument #1 to '?' (expected 1 argument)"],
      [['EVAL', 'return select(2, pcall(cjson.encode, 1, 2))', 0], "bad argument #1 to '?' (expected 1 argument)"],
      [['EVAL', 'return select(2, pcall(cjson.encode, type))', 0], 'Cannot serialise function: type not supported'],
      [
        ['EVAL', 'return select(2, pcall(cjson.encode, newproxy()))', 0],
        'Cannot serialise userdata: type not supported',
      ],
      [['EVAL', 'return select(2, pcall(cjson.encode, {f=type}))', 0], 'Cannot serialise function: type not supported'],
      [['EVAL', 'return select(2, pcall(cjson.encode, 1/0))', 0], 'Cannot serialise number: must not be NaN or Inf'],
      [['EVAL', 'return select(2, pcall(cjson.encode, {0/0}))', 0], 'Cannot serialise number: must not be NaN or Inf'],
      [
        ['EVAL', 'return select(2, pcall(cjson.encode, {[1/0]=1}))', 0],
        'Cannot serialise number: must not be NaN or Inf',
      ],
      [
        ['EVAL', 'return select(2, pcall(cjson.encode, {[true]=1}))', 0],
        'Cannot serialise boolean: table key must be a number or string',
      ],
      [
        ['EVAL', 'return select(2, pcall(cjson.encode, {[{}]=1}))', 0],
        'Cannot serialise table: table key must be a number or string',
      ],
      [
        ['EVAL', 'return select(2, pcall(cjson.encode, {[11]=1}))', 0],
        'Cannot serialise table: excessively sparse array',
      ],
      [
        ['EVAL', 'return select(2, pcall(cjson.encode, {1,2,3,4,5,6,7,8,9,10,[23]=1}))', 0],
        'Cannot serialise table: excessively sparse array',
      ],
    )
  },
  { since: '7.2' },
)

conversation('cjson reads what JSON has and what C takes for numbers', async c => {
  await c.expectAll(
    [['EVAL', "return cjson.encode({cjson.decode('1')})", 0], '[1]'],
    [['EVAL', "return cjson.encode({cjson.decode('-1.5e3')})", 0], '[-1500]'],
    [['EVAL', 'return cjson.encode({cjson.decode(\'"a"\')})', 0], '["a"]'],
    [['EVAL', "return cjson.encode({cjson.decode('[]')})", 0], '[{}]'],
    [['EVAL', "return cjson.encode({cjson.decode('{}')})", 0], '[{}]'],
    [['EVAL', "return cjson.encode({cjson.decode('[1,2,3]')})", 0], '[[1,2,3]]'],
    [['EVAL', 'return cjson.encode({cjson.decode(\'[null,{"a":[true,false]}]\')})', 0], '[[null,{"a":[true,false]}]]'],
    [['EVAL', 'return cjson.encode({cjson.decode(\'{"a":1,"a":2}\')})', 0], '[{"a":2}]'],
    [['EVAL', 'return cjson.encode({cjson.decode(\'{"":1}\')})', 0], '[{"":1}]'],
    [['EVAL', "return cjson.encode({cjson.decode(' \\t\\n\\r[ 1 , 2 ] ')})", 0], '[[1,2]]'],
    [['EVAL', "return cjson.encode({cjson.decode('+5')})", 0], '[5]'],
    [['EVAL', "return cjson.encode({cjson.decode('007')})", 0], '[7]'],
    [['EVAL', "return cjson.encode({cjson.decode('0x1F')})", 0], '[31]'],
    [['EVAL', "return cjson.encode({cjson.decode('-0x10')})", 0], '[-16]'],
    [['EVAL', "return cjson.encode({cjson.decode('0x1.8p1')})", 0], '[3]'],
    [['EVAL', "return cjson.encode({cjson.decode('1.')})", 0], '[1]'],
    [['EVAL', "return cjson.encode({cjson.decode('1e-400')})", 0], '[0]'],
    [['EVAL', "return cjson.encode({cjson.decode('123456789012345678')})", 0], '[1.2345678901235e+17]'],
    [['EVAL', 'return cjson.encode({cjson.decode(\'"\\255\\254"\')})', 0], '["\xff\xfe"]'],
    [
      ['EVAL', 'return cjson.encode({cjson.decode(\'"\\\\b\\\\t\\\\n\\\\f\\\\r\\\\/\\\\\\\\\\\\""\')})', 0],
      '["\\b\\t\\n\\f\\r\\/\\\\\\""]',
    ],
    [
      ['EVAL', 'return cjson.encode({cjson.decode(\'"\\\\u0000\\\\u00E9\\\\u07ff\\\\u0800\\\\uffff"\')})', 0],
      '["\\u0000\xc3\xa9\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"]',
    ],
    [['EVAL', 'return cjson.encode({cjson.decode(\'"\\\\ud83d\\\\ude00"\')})', 0], '["\xf0\x9f\x98\x80"]'],
  )
})

conversation('cjson says what it expected and what it found, and where', async c => {
  await c.expectAll(
    [['EVAL', "return select(2, pcall(cjson.decode, ''))", 0], 'Expected value but found T_END at character 1'],
    [['EVAL', "return select(2, pcall(cjson.decode, '  '))", 0], 'Expected value but found T_END at character 3'],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, 'nul'))", 0],
      'Expected value but found invalid token at character 1',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, 'tru e'))", 0],
      'Expected value but found invalid token at character 1',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '-'))", 0],
      'Expected value but found invalid number at character 1',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '1.2.3'))", 0],
      'Expected the end but found invalid token at character 4',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '1 x'))", 0],
      'Expected the end but found invalid token at character 3',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '[1] ]'))", 0],
      'Expected the end but found T_ARR_END at character 5',
    ],
    [['EVAL', "return select(2, pcall(cjson.decode, '[1,]'))", 0], 'Expected value but found T_ARR_END at character 4'],
    [['EVAL', "return select(2, pcall(cjson.decode, '[,1]'))", 0], 'Expected value but found T_COMMA at character 2'],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '[1 2]'))", 0],
      'Expected comma or array end but found T_NUMBER at character 4',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '[1'))", 0],
      'Expected comma or array end but found T_END at character 3',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '[1}'))", 0],
      'Expected comma or array end but found T_OBJ_END at character 3',
    ],
    [['EVAL', "return select(2, pcall(cjson.decode, '['))", 0], 'Expected value but found T_END at character 2'],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '{'))", 0],
      'Expected object key string but found T_END at character 2',
    ],
    [['EVAL', 'return select(2, pcall(cjson.decode, \'{"a"\'))', 0], 'Expected colon but found T_END at character 5'],
    [['EVAL', 'return select(2, pcall(cjson.decode, \'{"a":\'))', 0], 'Expected value but found T_END at character 6'],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'{"a":1\'))', 0],
      'Expected comma or object end but found T_END at character 7',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'{"a":1,}\'))', 0],
      'Expected object key string but found T_OBJ_END at character 8',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '{a:1}'))", 0],
      'Expected object key string but found invalid token at character 2',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'{"a" 1}\'))', 0],
      'Expected colon but found T_NUMBER at character 6',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'{"a":1 "b":2}\'))', 0],
      'Expected comma or object end but found T_STRING at character 8',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'{"a"::1}\'))', 0],
      'Expected value but found T_COLON at character 6',
    ],
    [['EVAL', "return select(2, pcall(cjson.decode, ':'))", 0], 'Expected value but found T_COLON at character 1'],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '\"abc'))", 0],
      'Expected value but found unexpected end of string at character 5',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'"a\\0"\'))', 0],
      'Expected value but found unexpected end of string at character 3',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '\"a\\\\'))", 0],
      'Expected value but found invalid escape code at character 3',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'"\\\\x"\'))', 0],
      'Expected value but found invalid escape code at character 2',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'"\\\\u12G4"\'))', 0],
      'Expected value but found invalid unicode escape code at character 2',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'"\\\\ud83d"\'))', 0],
      'Expected value but found invalid unicode escape code at character 2',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'"\\\\ud83d\\\\x41"\'))', 0],
      'Expected value but found invalid unicode escape code at character 2',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, \'"\\\\ude00"\'))', 0],
      'Expected value but found invalid unicode escape code at character 2',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '@'))", 0],
      'Expected value but found invalid token at character 1',
    ],
    [
      ['EVAL', "return select(2, pcall(cjson.decode, '\\v1'))", 0],
      'Expected value but found invalid token at character 1',
    ],
    [['EVAL', "return select(2, pcall(cjson.decode, '\\0001'))", 0], 'JSON parser does not support UTF-16 or UTF-32'],
    [['EVAL', "return select(2, pcall(cjson.decode, 'a\\0'))", 0], 'JSON parser does not support UTF-16 or UTF-32'],
  )
})

conversation('cjson checks its arguments', async c => {
  await c.expectAll(
    [['EVAL', 'return select(2, pcall(cjson.decode))', 0], "bad argument #1 to '?' (expected 1 argument)"],
    [['EVAL', 'return select(2, pcall(cjson.decode, 1, 2))', 0], "bad argument #1 to '?' (expected 1 argument)"],
    [['EVAL', 'return select(2, pcall(cjson.decode, {}))', 0], "bad argument #1 to '?' (string expected, got table)"],
    [['EVAL', 'return select(2, pcall(cjson.decode, nil))', 0], "bad argument #1 to '?' (string expected, got nil)"],
    [
      ['EVAL', 'return select(2, pcall(cjson.encode_max_depth, 0))', 0],
      "bad argument #1 to '?' (expected integer between 1 and 2147483647)",
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.encode_max_depth, 1, 2))', 0],
      "bad argument #2 to '?' (found too many arguments)",
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.encode_max_depth, "x"))', 0],
      "bad argument #1 to '?' (number expected, got string)",
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.encode_number_precision, 15))', 0],
      "bad argument #1 to '?' (expected integer between 1 and 14)",
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.encode_invalid_numbers, "no"))', 0],
      "bad argument #1 to '?' (invalid option 'no')",
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.encode_invalid_numbers, {}))', 0],
      "bad argument #1 to '?' (string expected, got table)",
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.encode_sparse_array, true, -1))', 0],
      "bad argument #1 to '?' (expected integer between 0 and 2147483647)",
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.encode_sparse_array, 1))', 0],
      "bad argument #1 to '?' (invalid option '1')",
    ],
    [
      ['EVAL', 'return select(2, pcall(function() cjson.x = 1 end))', 0],
      'user_script:1: Attempt to modify a readonly table',
    ],
    [
      ['EVAL', 'return select(2, pcall(function() cjson.decode("x") end))', 0],
      'user_script:1: Expected value but found invalid token at character 1',
    ],
  )
})

conversation("a cjson table of one's own has settings of its own", async c => {
  await c.expectAll(
    [['EVAL', 'local c = cjson.new() return c.encode_max_depth()', 0], 1000],
    [
      [
        'EVAL',
        'local c = cjson.new() return {c.encode_max_depth(5), c.decode_max_depth(6), c.encode_max_depth(), cjson.encode_max_depth()}',
        0,
      ],
      [5, 6, 5, 1000],
    ],
    [
      ['EVAL', 'local c = cjson.new() local a, b, d = c.encode_sparse_array(true, 3, 5) return {tostring(a), b, d}', 0],
      ['true', 3, 5],
    ],
    [['EVAL', 'local c = cjson.new() return tostring(c.encode_keep_buffer(false))', 0], 'false'],
    [
      ['EVAL', 'local c = cjson.new() return {c.encode_invalid_numbers("null"), c.encode({1/0, 0/0})}', 0],
      ['null', '[null,null]'],
    ],
    [
      [
        'EVAL',
        'local c = cjson.new() return {tostring(c.encode_invalid_numbers("on")), c.encode({1/0, -1/0, 0/0})}',
        0,
      ],
      ['true', '[inf,-inf,nan]'],
    ],
    [
      ['EVAL', 'local c = cjson.new() c.encode_number_precision(3) return c.encode({1234.5, 0.12345})', 0],
      '[1.23e+03,0.123]',
    ],
    [['EVAL', 'local c = cjson.new() c.encode_sparse_array(true) return c.encode({[20]=1})', 0], '{"20":1}'],
    [
      ['EVAL', 'local c = cjson.new() c.encode_sparse_array(false, 0) return c.encode({[12]=1})', 0],
      '[null,null,null,null,null,null,null,null,null,null,null,1]',
    ],
    [
      ['EVAL', 'local c = cjson.new() c.decode_invalid_numbers("off") return select(2, pcall(c.decode, "[0x1]"))', 0],
      'Expected value but found invalid number at character 2',
    ],
    [
      ['EVAL', 'local c = cjson.new() c.decode_invalid_numbers(false) return select(2, pcall(c.decode, "01"))', 0],
      'Expected value but found invalid number at character 1',
    ],
    [
      ['EVAL', 'local c = cjson.new() c.decode_invalid_numbers(false) return select(2, pcall(c.decode, "nan"))', 0],
      'Expected value but found invalid token at character 1',
    ],
    [
      [
        'EVAL',
        'local c = cjson.new() c.decode_invalid_numbers(false) return c.encode({c.decode("[0, -1.5, 2e3]")})',
        0,
      ],
      '[[0,-1.5,2000]]',
    ],
    [
      [
        'EVAL',
        'local c = cjson.new() return {c._NAME, c._VERSION, type(c.null), tostring(c.null), tostring(c.null == cjson.null)}',
        0,
      ],
      ['cjson', '2.1.0', 'userdata', 'userdata: (nil)', 'true'],
    ],
    [
      [
        'EVAL',
        'local c = cjson.new() local names = {} for name in pairs(c) do names[#names + 1] = name end return names',
        0,
      ],
      [
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
      ],
    ],
  )
})

conversation("cjson goes no deeper than it is set to, and Lua's stack is", async c => {
  await c.expectAll(
    [['EVAL', 'local t = {} for i = 1, 999 do t = {t} end return #cjson.encode(t)', 0], 2000],
    [
      ['EVAL', 'local t = {} for i = 1, 1000 do t = {t} end return select(2, pcall(cjson.encode, t))', 0],
      'Cannot serialise, excessive nesting (1001)',
    ],
    [
      ['EVAL', 'local t = {} t.t = t return select(2, pcall(cjson.encode, t))', 0],
      'Cannot serialise, excessive nesting (1001)',
    ],
    [['EVAL', 'return type(cjson.decode(("["):rep(1000) .. ("]"):rep(1000)))', 0], 'table'],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, (" ["):rep(1001)))', 0],
      'Found too many nested data structures (1001) at character 2002',
    ],
    [
      ['EVAL', 'return select(2, pcall(cjson.decode, (\'{"a":\'):rep(1001)))', 0],
      'Found too many nested data structures (1001) at character 5001',
    ],
    [
      ['EVAL', 'local c = cjson.new() c.decode_max_depth(1e5) return select(2, pcall(c.decode, ("["):rep(9000)))', 0],
      'Found too many nested data structures (7999) at character 7999',
    ],
    [
      [
        'EVAL',
        'local c = cjson.new() c.decode_max_depth(1e5) return select(2, pcall(c.decode, (\'{"a":\'):rep(9000)))',
        0,
      ],
      'Found too many nested data structures (4000) at character 19996',
    ],
    [
      [
        'EVAL',
        'local c = cjson.new() c.encode_max_depth(1e5) local t = {} for i = 1, 9000 do t = {t} end return select(2, pcall(c.encode, t))',
        0,
      ],
      'Cannot serialise, excessive nesting (7998)',
    ],
    [
      [
        'EVAL',
        'local c = cjson.new() c.encode_max_depth(1e5) local t = {} for i = 1, 9000 do t = {a = t} end return select(2, pcall(c.encode, t))',
        0,
      ],
      'Cannot serialise, excessive nesting (4000)',
    ],
  )
})
