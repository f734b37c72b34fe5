import { conversation } from '../../../test/harness/conversation.ts'

conversation('cmsgpack.pack takes the shortest form', async c => {
  await c.expectAll(
    [['EVAL', 'return cmsgpack.pack(nil)', 0], '\xc0'],
    [['EVAL', 'return cmsgpack.pack(true, false)', 0], '\xc3\xc2'],
    [['EVAL', 'return cmsgpack.pack(0, 127, 128, 255, 256)', 0], '\x00\x7f\xcc\x80\xcc\xff\xcd\x01\x00'],
    [
      ['EVAL', 'return cmsgpack.pack(65535, 65536, 2^32 - 1, 2^32)', 0],
      '\xcd\xff\xff\xce\x00\x01\x00\x00\xce\xff\xff\xff\xff\xcf\x00\x00\x00\x01\x00\x00\x00\x00',
    ],
    [['EVAL', 'return cmsgpack.pack(-1, -32, -33, -128, -129)', 0], '\xff\xe0\xd0\xdf\xd0\x80\xd1\xff\x7f'],
    [
      ['EVAL', 'return cmsgpack.pack(-32768, -32769, -2^31, -2^31 - 1)', 0],
      '\xd1\x80\x00\xd2\xff\xff\x7f\xff\xd2\x80\x00\x00\x00\xd3\xff\xff\xff\xff\x7f\xff\xff\xff',
    ],
    [['EVAL', 'return cmsgpack.pack(2^62)', 0], '\xcf@\x00\x00\x00\x00\x00\x00\x00'],
    [['EVAL', 'return cmsgpack.pack(-2^63)', 0], '\xd3\x80\x00\x00\x00\x00\x00\x00\x00'],
    [['EVAL', 'return cmsgpack.pack(2^63)', 0], '\xca_\x00\x00\x00'],
    [['EVAL', 'return cmsgpack.pack(1.5, 0.1, -0)', 0], '\xca?\xc0\x00\x00\xcb?\xb9\x99\x99\x99\x99\x99\x9a\x00'],
    [
      ['EVAL', 'return cmsgpack.pack(1/0, -1/0, 0/0)', 0],
      '\xca\x7f\x80\x00\x00\xca\xff\x80\x00\x00\xcb\xff\xf8\x00\x00\x00\x00\x00\x00',
    ],
    [['EVAL', 'return cmsgpack.pack("", "abc")', 0], '\xa0\xa3abc'],
    [['EVAL', 'return cmsgpack.pack(("x"):rep(31))', 0], '\xbfxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
    [['EVAL', 'return cmsgpack.pack(("x"):rep(32))', 0], '\xd9 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
    [['EVAL', 'return cmsgpack.pack({})', 0], '\x90'],
    [['EVAL', 'return cmsgpack.pack({1, 2, {3}})', 0], '\x93\x01\x02\x91\x03'],
    [['EVAL', 'return cmsgpack.pack({a = 1})', 0], '\x81\xa1a\x01'],
    [['EVAL', 'return cmsgpack.pack({1, nil, 3})', 0], '\x82\x01\x01\x03\x03'],
    [['EVAL', 'return cmsgpack.pack({[0] = 1})', 0], '\x81\x00\x01'],
    [['EVAL', 'return cmsgpack.pack({[true] = 1.5})', 0], '\x81\xc3\xca?\xc0\x00\x00'],
    [['EVAL', 'return cmsgpack.pack({[2^31] = 1})', 0], '\x81\xce\x80\x00\x00\x00\x01'],
    [
      ['EVAL', 'return cmsgpack.pack({1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16})', 0],
      '\xdc\x00\x10\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10',
    ],
    [['EVAL', 'return cmsgpack.pack(type, cjson.null)', 0], '\xc0\xc0'],
  )
})

conversation('cmsgpack.pack gives up what is nested too deep', async c => {
  await c.expectAll(
    [
      ['EVAL', 'local t = {} for i = 1, 20 do t = {t} end return cmsgpack.pack(t)', 0],
      '\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0',
    ],
    [
      ['EVAL', 'local t = {} t.t = t return cmsgpack.pack(t)', 0],
      '\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\x81\xa1t\xc0',
    ],
  )
})

conversation('cmsgpack.pack counts in as many bytes as it takes', async c => {
  await c.expectAll(
    [
      ['EVAL', 'return {cmsgpack.pack(("x"):rep(256)):byte(1, 3)}', 0],
      [218, 1, 0],
    ],
    [
      ['EVAL', 'return {cmsgpack.pack(("x"):rep(65536)):byte(1, 5)}', 0],
      [219, 0, 1, 0, 0],
    ],
    [
      ['EVAL', 'local t = {} for i = 1, 70000 do t[i] = 1 end return {cmsgpack.pack(t):byte(1, 6)}', 0],
      [221, 0, 1, 17, 112, 1],
    ],
    [
      ['EVAL', 'local t = {} for i = 1, 70000 do t["k" .. i] = 1 end return {cmsgpack.pack(t):byte(1, 5)}', 0],
      [223, 0, 1, 17, 112],
    ],
  )
})

conversation('cmsgpack.unpack gives all values back', async c => {
  await c.expectAll(
    [['EVAL', "return cjson.encode({cmsgpack.unpack('\\1\\127\\224\\255')})", 0], '[1,127,-32,-1]'],
    [
      ['EVAL', "return cjson.encode({cmsgpack.unpack('\\204\\200\\205\\1\\2\\206\\1\\2\\3\\4')})", 0],
      '[200,258,16909060]',
    ],
    [
      ['EVAL', "return cjson.encode({cmsgpack.unpack('\\208\\200\\209\\200\\1\\210\\200\\2\\3\\4')})", 0],
      '[-56,-14335,-939392252]',
    ],
    [['EVAL', "return cjson.encode({cmsgpack.unpack('\\207\\255\\255\\255\\255\\255\\255\\255\\254')})", 0], '[-2]'],
    [['EVAL', "return cjson.encode({cmsgpack.unpack('\\211\\255\\255\\255\\255\\255\\255\\255\\254')})", 0], '[-2]'],
    [
      ['EVAL', "return cjson.encode({cmsgpack.unpack('\\202\\63\\192\\0\\0\\203\\63\\248\\0\\0\\0\\0\\0\\0')})", 0],
      '[1.5,1.5]',
    ],
    [
      ['EVAL', "return cjson.encode({cmsgpack.unpack('\\161a\\217\\1b\\218\\0\\1c\\219\\0\\0\\0\\1d')})", 0],
      '["a","b","c","d"]',
    ],
    [['EVAL', "return cjson.encode({cmsgpack.unpack('\\147\\1\\146\\2\\3\\195')})", 0], '[[1,[2,3],true]]'],
    [['EVAL', "return cjson.encode({cmsgpack.unpack('\\220\\0\\1\\9\\221\\0\\0\\0\\1\\8')})", 0], '[[9],[8]]'],
    [
      ['EVAL', "return cjson.encode({cmsgpack.unpack('\\130\\161a\\1\\161b\\129\\161c\\194')})", 0],
      '[{"a":1,"b":{"c":false}}]',
    ],
    [
      ['EVAL', "return cjson.encode({cmsgpack.unpack('\\222\\0\\1\\1\\1\\223\\0\\0\\0\\1\\161x\\2')})", 0],
      '[[1],{"x":2}]',
    ],
    [['EVAL', "return cjson.encode({cmsgpack.unpack('')})", 0], '{}'],
  )
})

conversation('cmsgpack.unpack_one and unpack_limit say where to go on', async c => {
  await c.expectAll(
    [
      ['EVAL', "return {cmsgpack.unpack_one('\\1\\2\\3')}", 0],
      [1, 1],
    ],
    [
      ['EVAL', "return {cmsgpack.unpack_one('\\1\\2\\3', 1)}", 0],
      [2, 2],
    ],
    [
      ['EVAL', "return {cmsgpack.unpack_one('\\1\\2\\3', 2)}", 0],
      [-1, 3],
    ],
    [['EVAL', "return {cmsgpack.unpack_one('\\1\\2\\3', 3)}", 0], [-1]],
    [['EVAL', "return {cmsgpack.unpack_one('')}", 0], [-1]],
    [
      ['EVAL', "return {cmsgpack.unpack_limit('\\1\\2\\3', 2)}", 0],
      [2, 1, 2],
    ],
    [
      ['EVAL', "return {cmsgpack.unpack_limit('\\1\\2\\3', 5, 1)}", 0],
      [-1, 2, 3],
    ],
    [['EVAL', "return {cmsgpack.unpack_limit('\\1\\2\\3', 0, 1)}", 0], [1]],
    [
      ['EVAL', "return {cmsgpack.unpack_limit('\\1\\2\\3', 0, 0)}", 0],
      [1, 2, 3],
    ],
  )
})

conversation('cmsgpack says what is wrong with its input', async c => {
  await c.expectAll(
    [['EVAL', 'return select(2, pcall(cmsgpack.pack))', 0], "bad argument #0 to '?' (MessagePack pack needs input.)"],
    [['EVAL', 'return select(2, pcall(cmsgpack.unpack))', 0], "bad argument #1 to '?' (string expected, got no value)"],
    [
      ['EVAL', 'return select(2, pcall(cmsgpack.unpack, {}))', 0],
      "bad argument #1 to '?' (string expected, got table)",
    ],
    [['EVAL', "return select(2, pcall(cmsgpack.unpack, '\\193'))", 0], 'Bad data format in input.'],
    [['EVAL', "return select(2, pcall(cmsgpack.unpack, '\\163ab'))", 0], 'Missing bytes in input.'],
    [['EVAL', "return select(2, pcall(cmsgpack.unpack, '\\146\\1'))", 0], 'Missing bytes in input.'],
    [['EVAL', "return select(2, pcall(cmsgpack.unpack, '\\129\\192\\1'))", 0], 'table index is nil'],
    [['EVAL', "return select(2, pcall(cmsgpack.unpack, '\\205\\1'))", 0], 'Missing bytes in input.'],
    [
      ['EVAL', "return select(2, pcall(cmsgpack.unpack_one, 'a', 9))", 0],
      'Start offset 9 greater than input length 1.',
    ],
    [
      ['EVAL', "return select(2, pcall(cmsgpack.unpack_one, 'a', -1))", 0],
      'Invalid request to unpack with offset of -1 and limit of 1.',
    ],
    [
      ['EVAL', "return select(2, pcall(cmsgpack.unpack_limit, 'a'))", 0],
      "bad argument #2 to '?' (number expected, got no value)",
    ],
    [
      ['EVAL', 'return select(2, pcall(cmsgpack.unpack_limit))', 0],
      "bad argument #2 to '?' (number expected, got no value)",
    ],
    [
      ['EVAL', "return select(2, pcall(cmsgpack.unpack_limit, 'abc', -1))", 0],
      'Invalid request to unpack with offset of 0 and limit of 3.',
    ],
    [
      ['EVAL', "return select(2, pcall(cmsgpack.unpack, ('\\1'):rep(8000)))", 0],
      'stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)',
    ],
    [
      ['EVAL', "return select(2, pcall(cmsgpack.unpack, ('\\145'):rep(9000)))", 0],
      'stack overflow (in function mp_decode_to_lua_array)',
    ],
    [
      ['EVAL', "return select(2, pcall(cmsgpack.unpack, ('\\129\\1'):rep(9000)))", 0],
      'stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)',
    ],
  )
})

conversation('cmsgpack tells its version', async c => {
  await c.expectAll([
    ['EVAL', 'return {cmsgpack._NAME, cmsgpack._VERSION, cmsgpack._COPYRIGHT, cmsgpack._DESCRIPTION}', 0],
    [
      'cmsgpack',
      'lua-cmsgpack 0.4.0',
      'Copyright (C) 2012, Salvatore Sanfilippo',
      'MessagePack C implementation for Lua',
    ],
  ])
})
