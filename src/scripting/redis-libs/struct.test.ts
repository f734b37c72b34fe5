import { conversation } from '../../../test/harness/conversation.ts'

conversation('struct.pack lays out bytes, little-endian at first', async c => {
  await c.expectAll(
    [['EVAL', "return struct.pack('')", 0], ''],
    [['EVAL', "return struct.pack('bBhH', -1, 255, -2, 65535)", 0], '\xff\xff\xfe\xff\xff\xff'],
    [['EVAL', "return struct.pack('>hiI3', 1, -2, 70000)", 0], '\x00\x01\xff\xff\xff\xfe\x01\x11p'],
    [['EVAL', "return struct.pack('>h<h', 1, 1)", 0], '\x00\x01\x01\x00'],
    [
      ['EVAL', "return struct.pack('lLT', -1, 2^63, 2^53)", 0],
      '\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00 \x00',
    ],
    [['EVAL', "return struct.pack('i16', -1)", 0], '\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00'],
    [['EVAL', "return struct.pack('i', 1.9)", 0], '\x01\x00\x00\x00'],
    [['EVAL', "return struct.pack('i', -1.9)", 0], '\xff\xff\xff\xff'],
    [['EVAL', "return struct.pack('I', 2^64)", 0], '\x00\x00\x00\x00'],
    [['EVAL', "return struct.pack('fd', 1.5, 0.1)", 0], '\x00\x00\xc0?\x9a\x99\x99\x99\x99\x99\xb9?'],
    [['EVAL', "return struct.pack('>fd', 1.5, 0.1)", 0], '?\xc0\x00\x00?\xb9\x99\x99\x99\x99\x99\x9a'],
    [['EVAL', "return struct.pack('xbx', 1)", 0], '\x00\x01\x00'],
    [['EVAL', "return struct.pack('s', 'abc')", 0], 'abc\x00'],
    [['EVAL', "return struct.pack('c2', 'abc')", 0], 'ab'],
    [['EVAL', "return struct.pack('c0s', 'abc', 12)", 0], 'abc12\x00'],
    [['EVAL', "return struct.pack('bc0', 3, 'abc')", 0], '\x03abc'],
    [['EVAL', "return struct.pack('!4bi', 1, 2)", 0], '\x01\x00\x00\x00\x02\x00\x00\x00'],
    [['EVAL', "return struct.pack('!bd', 1, 2)", 0], '\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00@'],
    [['EVAL', "return struct.pack('b b', '7', 8)", 0], '\x07\x08'],
  )
})

conversation('struct.unpack gives what it reads, and where to go on', async c => {
  await c.expectAll(
    [['EVAL', "return {struct.unpack('', '')}", 0], [1]],
    [
      ['EVAL', "return {struct.unpack('bBhH', '\\255\\255\\254\\255\\255\\255')}", 0],
      [-1, 255, -2, 65535, 7],
    ],
    [
      ['EVAL', "return {struct.unpack('>hiI3', '\\0\\1\\255\\255\\255\\254\\1\\17\\112')}", 0],
      [1, -2, 70000, 10],
    ],
    [
      ['EVAL', "return {struct.unpack('sb', 'abc\\0\\7')}", 0],
      ['abc', 7, 6],
    ],
    [
      ['EVAL', "return {struct.unpack('bc0', '\\3abcd')}", 0],
      ['abc', 5],
    ],
    [
      ['EVAL', "return {struct.unpack('c1c0', '2ab')}", 0],
      ['ab', 4],
    ],
    [
      ['EVAL', "return {struct.unpack('c2x', 'abc')}", 0],
      ['ab', 4],
    ],
    [
      ['EVAL', "return {struct.unpack('b', 'abc', 2)}", 0],
      [98, 3],
    ],
    [
      ['EVAL', "return {struct.unpack('b', 'abc', '3')}", 0],
      [99, 4],
    ],
    [
      ['EVAL', "return {struct.unpack('!4bi', '\\1\\0\\0\\0\\2\\0\\0\\0')}", 0],
      [1, 2, 9],
    ],
    [
      ['EVAL', "return {struct.unpack('i9', '\\1\\0\\0\\0\\0\\0\\0\\0\\0')}", 0],
      [1, 10],
    ],
    [['EVAL', "return {struct.unpack('', '', -5)}", 0], [-5]],
    [
      ['EVAL', "return {struct.unpack('f', '\\0\\0\\192\\63')}", 0],
      [1, 5],
    ],
    [
      ['EVAL', "return {struct.unpack('I16', ('\\1'):rep(16))}", 0],
      [72340172838076672n, 17],
    ],
  )
})

conversation('struct.size adds up, alignment included', async c => {
  await c.expectAll(
    [['EVAL', "return struct.size('')", 0], 0],
    [['EVAL', "return struct.size('bhil')", 0], 15],
    [['EVAL', "return struct.size('!bhil')", 0], 16],
    [['EVAL', "return struct.size('!4bd')", 0], 12],
    [['EVAL', "return struct.size('c10x')", 0], 11],
    [['EVAL', "return struct.size('zzz')", 0], 0],
    [['EVAL', "return struct.size('i7 f')", 0], 11],
  )
})

conversation('struct says what is wrong with a format, a value or the data', async c => {
  await c.expectAll(
    [['EVAL', 'return select(2, pcall(struct.pack))', 0], "bad argument #1 to '?' (string expected, got no value)"],
    [['EVAL', "return select(2, pcall(struct.pack, 'b'))", 0], "bad argument #2 to '?' (number expected, got nil)"],
    [['EVAL', "return select(2, pcall(struct.pack, 'bb', 1))", 0], "bad argument #3 to '?' (number expected, got nil)"],
    [
      ['EVAL', "return select(2, pcall(struct.pack, 'b', {}))", 0],
      "bad argument #2 to '?' (number expected, got table)",
    ],
    [['EVAL', "return select(2, pcall(struct.pack, 'c4', 'abc'))", 0], "bad argument #3 to '?' (string too short)"],
    [['EVAL', "return select(2, pcall(struct.pack, 'c4'))", 0], "bad argument #2 to '?' (string expected, got nil)"],
    [['EVAL', "return select(2, pcall(struct.pack, 'z'))", 0], "bad argument #1 to '?' (invalid format option 'z')"],
    [['EVAL', "return select(2, pcall(struct.pack, 'i33', 1))", 0], 'integral size 33 is larger than limit of 32'],
    [['EVAL', "return select(2, pcall(struct.pack, 'i99999999999', 1))", 0], 'integral size overflow'],
    [['EVAL', "return select(2, pcall(struct.pack, '!3'))", 0], 'alignment 3 is not a power of 2'],
    [['EVAL', "return select(2, pcall(struct.pack, '!0'))", 0], 'alignment 0 is not a power of 2'],
    [
      ['EVAL', "return select(2, pcall(struct.unpack, 'b'))", 0],
      "bad argument #2 to '?' (string expected, got no value)",
    ],
    [['EVAL', "return select(2, pcall(struct.unpack, 'b', ''))", 0], "bad argument #2 to '?' (data string too short)"],
    [
      ['EVAL', "return select(2, pcall(struct.unpack, 'b', 'a', 0))", 0],
      "bad argument #3 to '?' (offset must be 1 or greater)",
    ],
    [
      ['EVAL', "return select(2, pcall(struct.unpack, 'b', 'a', 2))", 0],
      "bad argument #2 to '?' (data string too short)",
    ],
    [
      ['EVAL', "return select(2, pcall(struct.unpack, 'b', 'a', -1))", 0],
      "bad argument #2 to '?' (data string too short)",
    ],
    [['EVAL', "return select(2, pcall(struct.unpack, 's', 'abc'))", 0], 'unfinished string in data'],
    [['EVAL', "return select(2, pcall(struct.unpack, 'c0', 'abc'))", 0], "format 'c0' needs a previous size"],
    [
      ['EVAL', "return select(2, pcall(struct.unpack, 'bc0', '\\5ab'))", 0],
      "bad argument #2 to '?' (data string too short)",
    ],
    [
      ['EVAL', "return select(2, pcall(struct.unpack, 'bc0', '\\255ab'))", 0],
      "bad argument #2 to '?' (data string too short)",
    ],
    [
      ['EVAL', "return select(2, pcall(struct.unpack, 'i4', 'abc'))", 0],
      "bad argument #2 to '?' (data string too short)",
    ],
    [
      ['EVAL', "return select(2, pcall(struct.unpack, ('b'):rep(7998), ('a'):rep(7998)))", 0],
      'stack overflow (too many results)',
    ],
    [['EVAL', "return select(2, pcall(struct.size, 's'))", 0], "bad argument #1 to '?' (option 's' has no fixed size)"],
    [
      ['EVAL', "return select(2, pcall(struct.size, 'c0'))", 0],
      "bad argument #1 to '?' (option 'c0' has no fixed size)",
    ],
    [['EVAL', "return select(2, pcall(struct.size, '@'))", 0], "bad argument #1 to '?' (invalid format option '@')"],
    [['EVAL', 'return select(2, pcall(struct.size, {}))', 0], "bad argument #1 to '?' (string expected, got table)"],
  )
})
