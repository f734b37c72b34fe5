import { conversation } from '../../../test/harness/conversation.ts'

conversation('bit takes numbers modulo 2^32, rounded to even, and gives signed ones', async c => {
  await c.expectAll(
    [['EVAL', 'return bit.tobit(0)', 0], 0],
    [['EVAL', 'return bit.tobit(-1)', 0], -1],
    [['EVAL', 'return bit.tobit(0x7fffffff)', 0], 2147483647],
    [['EVAL', 'return bit.tobit(0x80000000)', 0], -2147483648],
    [['EVAL', 'return bit.tobit(0xffffffff)', 0], -1],
    [['EVAL', 'return bit.tobit(2^32 + 5)', 0], 5],
    [['EVAL', 'return bit.tobit(-2^31)', 0], -2147483648],
    [['EVAL', 'return bit.tobit(0.5)', 0], 0],
    [['EVAL', 'return bit.tobit(1.5)', 0], 2],
    [['EVAL', 'return bit.tobit(2.5)', 0], 2],
    [['EVAL', 'return bit.tobit(-1.5)', 0], -2],
    [['EVAL', 'return bit.tobit(2^53 + 2)', 0], 1],
    [['EVAL', 'return bit.tobit(1e300)', 0], -2013235812],
    [['EVAL', 'return bit.tobit(1/0)', 0], 0],
    [['EVAL', 'return bit.tobit(0/0)', 0], 0],
    [['EVAL', 'return bit.tobit("0x10")', 0], 16],
  )
})

conversation('bit combines any number of integers', async c => {
  await c.expectAll(
    [['EVAL', 'return bit.bnot(0)', 0], -1],
    [['EVAL', 'return bit.bnot(0x12345678)', 0], -305419897],
    [['EVAL', 'return bit.band(0xff0, 0x0ff, 0xf0)', 0], 240],
    [['EVAL', 'return bit.bor(1, 2, 4)', 0], 7],
    [['EVAL', 'return bit.bxor(1, 2, 3, 4, 5)', 0], 1],
    [['EVAL', 'return bit.band(7)', 0], 7],
    [['EVAL', 'return bit.bor("3", 8)', 0], 11],
  )
})

conversation('bit shifts and turns by five bits of the count', async c => {
  await c.expectAll(
    [['EVAL', 'return bit.lshift(1, 31)', 0], -2147483648],
    [['EVAL', 'return bit.lshift(1, 32)', 0], 1],
    [['EVAL', 'return bit.lshift(1, -1)', 0], -2147483648],
    [['EVAL', 'return bit.rshift(-1, 4)', 0], 268435455],
    [['EVAL', 'return bit.rshift(-1, 0)', 0], -1],
    [['EVAL', 'return bit.arshift(-256, 4)', 0], -16],
    [['EVAL', 'return bit.arshift(256, 4)', 0], 16],
    [['EVAL', 'return bit.rol(0x12345678, 8)', 0], 878082066],
    [['EVAL', 'return bit.ror(0x12345678, 8)', 0], 2014458966],
    [['EVAL', 'return bit.rol(0x12345678, 0)', 0], 305419896],
    [['EVAL', 'return bit.ror(0x12345678, 32)', 0], 305419896],
    [['EVAL', 'return bit.bswap(0x12345678)', 0], 2018915346],
    [['EVAL', 'return bit.bswap(0xff)', 0], -16777216],
  )
})

conversation('bit.tohex gives the last digits, in capitals for a negative count', async c => {
  await c.expectAll(
    [['EVAL', 'return bit.tohex(255)', 0], '000000ff'],
    [['EVAL', 'return bit.tohex(-1)', 0], 'ffffffff'],
    [['EVAL', 'return bit.tohex(0xabcdef, 4)', 0], 'cdef'],
    [['EVAL', 'return bit.tohex(0xabcdef, -4)', 0], 'CDEF'],
    [['EVAL', 'return bit.tohex(0xabcdef, 0)', 0], ''],
    [['EVAL', 'return bit.tohex(1, 100)', 0], '00000001'],
    [['EVAL', 'return bit.tohex(1, -100)', 0], '00000001'],
    [['EVAL', 'return bit.tohex("16")', 0], '00000010'],
  )
})

conversation('bit names the argument that is no number', async c => {
  await c.expectAll(
    [['EVAL', 'return select(2, pcall(bit.tobit))', 0], "bad argument #1 to '?' (number expected, got no value)"],
    [['EVAL', 'return select(2, pcall(bit.tobit, nil))', 0], "bad argument #1 to '?' (number expected, got nil)"],
    [['EVAL', 'return select(2, pcall(bit.tobit, {}))', 0], "bad argument #1 to '?' (number expected, got table)"],
    [['EVAL', 'return select(2, pcall(bit.bnot, "x"))', 0], "bad argument #1 to '?' (number expected, got string)"],
    [
      ['EVAL', 'return select(2, pcall(bit.band, 1, 2, "x", {}))', 0],
      "bad argument #4 to '?' (number expected, got table)",
    ],
    [['EVAL', 'return select(2, pcall(bit.band, {}, {}))', 0], "bad argument #1 to '?' (number expected, got table)"],
    [['EVAL', 'return select(2, pcall(bit.lshift, 1))', 0], "bad argument #2 to '?' (number expected, got no value)"],
    [
      ['EVAL', 'return select(2, pcall(bit.lshift, "x", "y"))', 0],
      "bad argument #1 to '?' (number expected, got string)",
    ],
    [['EVAL', 'return select(2, pcall(bit.tohex, 1, nil))', 0], "bad argument #2 to '?' (number expected, got nil)"],
  )
})

conversation("bit has its functions in Redis's order", async c => {
  await c.expectAll([
    ['EVAL', 'local names = {} for name in pairs(bit) do names[#names + 1] = name end return names', 0],
    ['band', 'rshift', 'bor', 'bnot', 'bswap', 'bxor', 'tobit', 'ror', 'lshift', 'tohex', 'rol', 'arshift'],
  ])
})
