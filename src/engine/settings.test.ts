import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Config } from '../config/config.ts'
import { virtualSystem } from '../system/virtual.ts'
import { defaultSettings, SETTING_NAMES } from './settings.ts'

test('settings are fields of directives, at their defaults', () => {
  const config = new Config(virtualSystem().disk)
  const wanted = Object.fromEntries(SETTING_NAMES.map(name => [name, config[name]]))
  assert.deepEqual({ ...defaultSettings() }, wanted)
})

test('a server keeps its settings equal to its configuration', () => {
  const config = new Config(virtualSystem().disk)
  const settings = defaultSettings()
  config.mirrorInto(settings, SETTING_NAMES)
  config.set([['hash-max-listpack-entries', '7']])
  assert.equal(settings.hashMaxListpackEntries, 7)
})
