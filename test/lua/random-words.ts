// The words of random Lua programs: operators, operands, names, literals, and the functions at the start of every
// program.

export const BINARY = ['+', '-', '*', '/', '%', '..', '==', '~=', '<', '<=', '>', '>=', 'and', 'or']
export const FIELDS = ['x', 'y', 'name', 'list', 'count', 'value']
export const STRINGS = ['""', '"a"', '"abc"', '"10"', '"0x1F"', '" 7 "', '"x y"', '"%d+"', '"hello"']
export const NUMBERS = ['0', '1', '2', '3', '5', '10', '-1', '0.5', '2.25', '100', '1e3', '7', '-3', '(1/0)', '1e15']
export const PATTERNS = [
  '"%a"',
  '"%d+"',
  '"[a-m]"',
  '"(.)(.)"',
  '".-"',
  '"l*"',
  '"^h"',
  '"o$"',
  '"()"',
  '"(%w+)"',
  '"%s*"',
]

export const PROLOGUE = [
  'local t0, s0, n0 = {1, 2, 3, x = 4}, "str", 7',
  'local fuel = 300 local function tick() fuel = fuel - 1 if fuel < 0 then error("out of fuel", 0) end end',
  'local function show(...) print(select("#", ...), ...) end',
  'local function num(x) if x ~= x then return 0/0 end return x end',
  'local objects = {table = 1, ["function"] = 1, thread = 1, userdata = 1}',
  'local function key(x) if objects[type(x)] then return type(x) end return x end',
  'local function str(x) if objects[type(x)] and not (getmetatable(x) or objects).__tostring then return type(x) end return tostring(x) end',
]
/** Comments and strings, which stay unchanged, and spaces. */
export const WHOLES_AND_SPACES =
  /--\[(=*)\[.*?\]\1\]|--[^\n]*\n|\[(=*)\[.*?\]\2\]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'| (?=[^( ])/gs
export const FLAT_OPERATORS = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '..',
  '==',
  '~=',
  '<',
  '<=',
  '>',
  '>=',
  'and',
  'or',
  '..',
  '+',
  'or',
]
export const FLAT_OPERANDS = [
  '1',
  '2',
  '3',
  '0',
  '10',
  '0.5',
  '"a"',
  '"10"',
  'nil',
  'true',
  'false',
  '1e308',
  '2^53',
  '0.1',
  '1e15',
  '"x"',
  's0',
  'n0',
  't0.x',
  't0',
  'g0',
  '{}',
  '#t0',
  't0[1]',
]
