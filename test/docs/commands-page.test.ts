import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { commandsPage, PAGE_PATH } from './commands-page.ts'

test('docs/commands.md is up to date (npm run docs makes it anew)', () => {
  assert.equal(readFileSync(PAGE_PATH, 'utf8'), commandsPage())
})

test('a row has syntax, purpose, time and version', () => {
  const rows = commandsPage().split('\n')
  assert.ok(rows.includes('| `GET key` | Return a string. | O(1) | 1.0.0 |'))
  assert.ok(rows.some(row => row.startsWith('| `MSET key value [key value ...]` |')))
  assert.ok(rows.some(row => row.startsWith('| `BITOP <AND \\| OR \\| XOR \\| NOT> destkey key [key ...]` |')))
})
