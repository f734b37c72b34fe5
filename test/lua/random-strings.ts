// Random pieces of Lua with strings: patterns, formats, literals, string library calls.

import { type Chance, oneOf } from './chance.ts'

const SUBJECTS = [
  '"hello world 12"',
  '"key=val; k2 = v2"',
  '"(a(b)c)d)"',
  '"THE (quick) fox"',
  '"a,b,,c"',
  '"\\0x\\0\\255y"',
  '"  trim me \\t\\n"',
  '""',
  '"aaab"',
  '"x=1, y=-2.5e3"',
  '[[long [x] %d text]]',
  '[==[\nfirst ]] line\nsecond]==]',
  '"\\065\\066\\10\\n"',
  "'it''s'",
  '1234.5',
  's0',
]
const CLASSES = ['%a', '%d', '%s', '%w', '%p', '%l', '%u', '%c', '%x', '%z', '%A', '%D', '%S', '%W', '.', '.']
const SETS = [
  '[%w_]',
  '[^%s]',
  '[a-f]',
  '[^a-f,]',
  '[]]',
  '[^]x]',
  '[%]]',
  '[a-]',
  '[+--]',
  '[%a-z]',
  '[=,;]',
  '[\\0-\\9]',
]
const LITERALS = ['a', 'l', 'o', '=', ',', ' ', '%(', '%)', '%%', '%.', 'x', '1', '-', '\\0']
const BROKEN = ['[a', '%', '(', ')', '(()', '%b', '%bx', '%f', '[%', '[^', '%1', '(%2)', '[]', '%f[', '(a)%2', '%0']
const QUANTIFIERS = ['', '', '', '*', '+', '-', '?']
const FLAGS = ['', '', '', '-', '+', ' ', '#', '0', '-+', '+0', '# ', '-+ #0']
const WIDTHS = ['', '', '', '1', '5', '12', '20', '99', '100']
const PRECISIONS = ['', '', '', '.', '.0', '.1', '.3', '.10', '.20', '.99', '.100']
const CONVERSIONS = ['d', 'i', 'u', 'c', 'x', 'X', 'o', 'e', 'E', 'f', 'g', 'G', 'q', 's', 's', 'd', 'g', 'y', '%', '']
const FORMAT_NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '65',
  '255',
  '3.75',
  '-2.5',
  '0.5',
  '1.5',
  '1e15',
  '123456789',
  '2^31',
  '-2^31',
  '2^53',
  '1e21',
  '1e100',
  '1e-5',
  '0.1',
  '1/3',
  '5e-324',
  '1/0',
  '-1/0',
  '"10"',
  '"0x1F"',
  '"abc"',
  'nil',
  'n0',
]
const FORMAT_STRINGS = ['"abc"', '"a\\0b"', '"line\\nend\\r\\\\\\""', '""', 's0', '12', '0.1', 'nil', 'true', '{}']
const REPLACEMENTS = [
  '""',
  '"<%0>"',
  '"%1%1"',
  '"%2"',
  '"%%"',
  '"%"',
  '"%x"',
  '"[%1|%0]"',
  '"\\0"',
  '"x"',
  '7',
  'nil',
  'true',
]
const NUMBER_LITERALS = ['0x10', '0xff', '.5', '3.', '1e-3', '1E+2', '100000000000000', '1e308', '123456789012345678']
const NUMERALS = [
  '10',
  '0x1F',
  '1e2',
  ' 7 ',
  '-0x10',
  '0x',
  '1e',
  '.5',
  '5.',
  '.',
  '',
  ' ',
  '10a',
  '1 0',
  '+3',
  '- 3',
  '1e+2',
  '0x1p4',
  'ff',
  'zz',
  '777',
  '8',
  '2',
  '-1',
  '1e400',
  '0b1',
  '1_0',
  'inf',
  '0x.8',
  '1\\0',
]

export function subject(chance: Chance): string {
  return chance.pick(SUBJECTS)
}

export function pattern(chance: Chance): string {
  if (chance.below(12) === 0) return `"${chance.pick(BROKEN)}"`
  const count = 1 + chance.below(4)
  let text = chance.below(5) === 0 ? '^' : ''
  for (let i = 0; i < count; i++) text += piece(chance)
  if (chance.below(6) === 0) text += '$'
  return `"${text}"`
}

function piece(chance: Chance): string {
  return oneOf(chance, [
    () => chance.pick(CLASSES) + chance.pick(QUANTIFIERS),
    () => chance.pick(CLASSES) + chance.pick(QUANTIFIERS),
    () => chance.pick(SETS) + chance.pick(QUANTIFIERS),
    () => chance.pick(LITERALS) + chance.pick(QUANTIFIERS),
    () => `(${chance.pick(CLASSES)}${chance.pick(QUANTIFIERS)})`,
    () => `(${chance.pick(SETS)}${chance.pick(QUANTIFIERS)}${chance.pick(LITERALS)})`,
    () => chance.pick(['()', '%b()', '%b[]', '%f[%w]', '%f[^%w]', '(.)%1', '%bxx', '(%a*)(%d*)']),
  ])
}

/** A call of string.format with mostly matching arguments. */
export function formatCall(chance: Chance): string {
  const count = 1 + chance.below(3)
  let text = ''
  const args: string[] = []
  for (let i = 0; i < count; i++) {
    const conversion = chance.pick(CONVERSIONS)
    text += `${chance.pick(['', '', '|', 'x', '%%'])}%`
    if (conversion !== '%') text += chance.pick(FLAGS) + chance.pick(WIDTHS) + chance.pick(PRECISIONS)
    text += conversion
    if (conversion === '%') continue
    args.push(chance.pick('qs'.includes(conversion) ? FORMAT_STRINGS : FORMAT_NUMBERS))
  }
  if (chance.below(8) === 0) args.pop()
  return `string.format(${[`"${text}"`, ...args].join(', ')})`
}

/** A string literal in one of Lua's forms. */
export function stringLiteral(chance: Chance): string {
  const text = chance.pick(['a', 'b c', 'x]y', 'tab', '10', '%d', '--', 'end'])
  return oneOf(chance, [
    () => `"${text}"`,
    () => `'${text}'`,
    () => `[[${text}]]`,
    () => `[=[\n${text}]]\n]=]`,
    () =>
      `"${chance.pick(['\\a', '\\n', '\\z', '\\065', '\\1', '\\\\', "\\'", '\\"', '\\255', '\\0', '\\\n'])}${text}"`,
    () => chance.pick(NUMBER_LITERALS),
  ])
}

export function stringCall(chance: Chance, expression: () => string, handler: () => string): string {
  const at = () => chance.pick(['0', '1', '2', '-1', '-3', '5', '100', '-100', '1.7', '"2"', 'nil'])
  return oneOf(chance, [
    () => `string.find(${subject(chance)}, ${pattern(chance)}, ${at()})`,
    () => `string.find(${subject(chance)}, ${pattern(chance)}, ${at()}, ${chance.pick(['true', 'false', 'nil', '0'])})`,
    () => `string.match(${subject(chance)}, ${pattern(chance)}, ${at()})`,
    () => `string.match(${subject(chance)}, ${pattern(chance)})`,
    () => `string.gsub(${subject(chance)}, ${pattern(chance)}, ${chance.pick(REPLACEMENTS)})`,
    () => `string.gsub(${subject(chance)}, ${pattern(chance)}, ${chance.pick(REPLACEMENTS)}, ${at()})`,
    () =>
      `string.gsub(${subject(chance)}, ${pattern(chance)}, {a = "A", l = 1, ["12"] = false, hello = ${expression()}})`,
    () => `string.gsub(${subject(chance)}, ${pattern(chance)}, ${handler()})`,
    () => formatCall(chance),
    () => formatCall(chance),
    () => `string.byte(${subject(chance)}, ${at()}, ${at()})`,
    () => `string.sub(${subject(chance)}, ${at()}, ${at()})`,
    () => `string.char(${chance.pick(['72, 105', '', '0', '256', '-1', '65.9', '"66"', expression()])})`,
    () => `string.rep(${subject(chance)}, ${chance.pick(['0', '1', '3', '-1', '2.7'])})`,
    () => `string.${chance.pick(['upper', 'lower', 'reverse', 'len'])}(${subject(chance)})`,
    () => `(${subject(chance)}):${chance.pick(['upper', 'lower', 'reverse', 'len', 'nothing'])}()`,
    () => `tonumber("${chance.pick(NUMERALS)}")`,
    () =>
      `tonumber("${chance.pick(NUMERALS)}", ${chance.pick(['2', '8', '10', '16', '36', '1', '37', '"16"', expression()])})`,
    () =>
      `("${chance.pick(NUMERALS)}" ${chance.pick(['+', '*', '..', '<', '==', '-'])} ${chance.pick(['1', '"2"', 'n0'])})`,
    () => stringLiteral(chance),
  ])
}
