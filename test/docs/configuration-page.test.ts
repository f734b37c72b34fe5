import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { DIRECTIVES } from '../../src/config/directives.ts'
import { CONFIGURATION_PAGE, configurationPage } from './configuration-page.ts'

test('docs/configuration.md is up to date (npm run docs makes it anew)', () => {
  assert.equal(readFileSync(CONFIGURATION_PAGE, 'utf8'), configurationPage())
})

test('every directive has a row', () => {
  const page = configurationPage()
  for (const { name } of DIRECTIVES) assert.ok(page.includes(`\n| \`${name}\``), name)
})
