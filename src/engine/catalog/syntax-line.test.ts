import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Argument, parseArguments } from './syntax-line.ts'

/** Only what differs from a plain mandatory string argument. */
function brief(arg: Argument): object {
  const out: Record<string, unknown> = { name: arg.name }
  if (arg.type !== 'string') out.type = arg.type
  if (arg.displayText !== arg.name) out.displayText = arg.displayText
  if (arg.keySpecIndex !== -1) out.keySpecIndex = arg.keySpecIndex
  for (const field of ['token', 'since', 'deprecatedSince'] as const)
    if (arg[field] !== undefined) out[field] = arg[field]
  for (const flag of ['optional', 'multiple', 'multipleToken'] as const) if (arg[flag]) out[flag] = true
  if (arg.args.length > 0) out.args = arg.args.map(brief)
  return out
}

const read = (line: string) => parseArguments(line).map(brief)

test('names are strings, keys when they have a key spec, or of the given type', () => {
  assert.deepEqual(read('key#0 value count:integer since:unix-time pattern:pattern#1 key:key'), [
    { name: 'key', type: 'key', keySpecIndex: 0 },
    { name: 'value' },
    { name: 'count', type: 'integer' },
    { name: 'since', type: 'unix-time' },
    { name: 'pattern', type: 'pattern', keySpecIndex: 1 },
    { name: 'key', type: 'key' },
  ])
})

test('a token before a name belongs to it, else it stands for itself', () => {
  assert.deepEqual(read('[EX seconds:integer] [KEEPTTL] keys=KEYS a AUTH2 auth2:(u p)'), [
    { name: 'seconds', type: 'integer', token: 'EX', optional: true },
    { name: 'keepttl', type: 'pure-token', token: 'KEEPTTL', optional: true },
    { name: 'keys', type: 'pure-token', token: 'KEYS' },
    { name: 'a' },
    { name: 'auth2', type: 'block', token: 'AUTH2', args: [{ name: 'u' }, { name: 'p' }] },
  ])
})

test('signs are quoted, display text too when it is more than a word', () => {
  assert.deepEqual(read('near="~" empty="" ADDR addr="ip:port" NODE node=node-id'), [
    { name: 'near', type: 'pure-token', token: '~' },
    { name: 'empty', type: 'pure-token', token: '' },
    { name: 'addr', displayText: 'ip:port', token: 'ADDR' },
    { name: 'node', displayText: 'node-id', token: 'NODE' },
  ])
})

test('marks follow in their order: since, deprecated, repeated', () => {
  assert.deepEqual(read('[NX@7.0.0] old!2.8.12 a@1.2... [GET... b=pattern:pattern#1...]'), [
    { name: 'nx', type: 'pure-token', token: 'NX', since: '7.0.0', optional: true },
    { name: 'old', deprecatedSince: '2.8.12' },
    { name: 'a', since: '1.2', multiple: true },
    {
      name: 'b',
      type: 'pattern',
      displayText: 'pattern',
      keySpecIndex: 1,
      token: 'GET',
      optional: true,
      multiple: true,
      multipleToken: true,
    },
  ])
})

test('blocks and choices nest', () => {
  assert.deepEqual(read('[by:(BYBOX box:(w:double h:double)|ALL|[one:(a|b)])@6.2.0...]'), [
    {
      name: 'by',
      type: 'oneof',
      since: '6.2.0',
      optional: true,
      multiple: true,
      args: [
        {
          name: 'box',
          type: 'block',
          token: 'BYBOX',
          args: [
            { name: 'w', type: 'double' },
            { name: 'h', type: 'double' },
          ],
        },
        { name: 'all', type: 'pure-token', token: 'ALL' },
        { name: 'one', type: 'oneof', optional: true, args: [{ name: 'a' }, { name: 'b' }] },
      ],
    },
  ])
})

test('what cannot be read is a bug', () => {
  for (const line of ['', 'key ', '[key', 'a:(b c', 'a:(b|)', 'key]', 'EX seconds:number', 'a  b', 'a|b'])
    assert.throws(() => parseArguments(line), Error)
})
