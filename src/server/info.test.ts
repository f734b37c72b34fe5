import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { conversation } from '../../test/harness/conversation.ts'
import { projectRoot } from '../../test/tidy/source.ts'
import type { InfoSource } from '../engine/monitoring/info.ts'
import { humanBytes, Info, ratio } from './info.ts'
import { WITHOUT_MEANING } from './info-fields.ts'

const SPECS = [
  { name: 'one', title: 'One', byDefault: true, fields: 'a b row*' },
  { name: 'two', title: 'Two', byDefault: false, fields: 'c' },
]

test('sections and fields stand in the order of the list, whoever comes first', () => {
  const info = new Info(SPECS, {})
  info.add({ section: 'two', fields: { c: () => 3 } })
  info.add({ section: 'one', rows: { 'row*': put => put('row_x', 'y') } })
  info.add({ section: 'one', fields: { b: () => undefined } })
  info.add({ section: 'one', fields: { a: () => 1 } })
  assert.equal(info.text(['two', 'one']), '# One\r\na:1\r\nrow_x:y\r\n\r\n# Two\r\nc:3\r\n')
  assert.equal(info.text([]), '# One\r\na:1\r\nrow_x:y\r\n')
})

test('a field has one owner, in the section that lists it', () => {
  const refused = (added: InfoSource, why: RegExp) => {
    const info = new Info(SPECS, { b: [0, 'it means nothing'] })
    info.add({ section: 'one', fields: { a: () => 1 } })
    info.add(added)
    assert.throws(() => info.text([]), why)
    assert.throws(() => info.fields(['two']), why)
  }
  refused({ section: 'one', fields: { a: () => 2 } }, /field a has an owner already/)
  refused({ section: 'one', fields: { b: () => 2 } }, /field b has an owner already/)
  refused({ section: 'one', fields: { c: () => 2 } }, /one has no field c/)
  refused({ section: 'three' }, /no section three/)
  refused({ section: 'two', fields: { c: () => 3 } }, /field row\* has no owner/)
})

test('RESETSTAT reaches everybody who counts', () => {
  const info = new Info(SPECS, {})
  let resets = 0
  for (const section of ['one', 'two']) info.add({ section, reset: () => resets++ })
  info.reset()
  assert.equal(resets, 2)
})

test('the documentation names every field without meaning, and no other', () => {
  const text = readFileSync(join(projectRoot, 'docs/info.md'), 'utf8')
  const part = text.slice(text.indexOf('## Fields without meaning'))
  const rows = [...part.matchAll(/^\| `(\w+)` \| `(.*?)` \| (.*) \|$/gm)].map(([, name, value, reason]) => [
    name,
    [value, reason],
  ])
  const listed = Object.entries(WITHOUT_MEANING).map(([name, [value, reason]]) => [name, [String(value), reason]])
  assert.deepEqual(rows, listed)
})

test('bytes and quotients as C prints them', () => {
  assert.deepEqual([0, 1023, 1536, 3 << 20].map(humanBytes), ['0B', '1023B', '1.50K', '3.00M'])
  assert.deepEqual([ratio(1, 2), ratio(0, 0), ratio(1, 0)], ['0.50', 'nan', 'inf'])
})

conversation(
  'error codes that scripts make up are counted together from the 129th on',
  async c => {
    await c.expect('CONFIG RESETSTAT', 'OK')
    const script = "return redis.error_reply('CODE' .. ARGV[1] .. ' x')"
    for (let i = 0; i < 200; i++) await c.expectError(['EVAL', script, '0', `${i}`], `CODE${i} x`)
    const text = String(await c.do('INFO errorstats'))
    assert.equal(text.match(/errorstat_CODE/g)?.length, 128)
    assert.match(text, /errorstat_ERRORSTATS_OVERFLOW:count=72\r\n/)
    assert.match(text, /errorstat_CODE0:count=1\r\n/)
  },
  { oursOnly: '7.2 counts any number of codes' },
)
