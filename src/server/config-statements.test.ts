import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configCommands } from '../commands/server/config.ts'
import { Config } from '../config/config.ts'
import { type ConfigError, loadText } from '../config/parser.ts'
import { CommandTable } from '../engine/catalog/table.ts'
import { Slice } from '../lib/slice.ts'
import { virtualSystem } from '../system/virtual.ts'
import { applyConfigStatements } from './config-statements.ts'

function tableAfter(text: string): CommandTable {
  const config = new Config(virtualSystem().disk)
  loadText(config, text)
  const table = new CommandTable(configCommands)
  applyConfigStatements(config, table)
  return table
}

test('rename-command renames and removes', () => {
  const renamed = tableAfter('rename-command CONFIG hidden\n')
  assert.equal(renamed.lookup(Slice.of('config')), undefined)
  assert.equal(renamed.lookup(Slice.of('HIDDEN'))?.fullName, 'config')
  assert.equal(tableAfter('rename-command config ""\n').lookup(Slice.of('config')), undefined)
})

test('what cannot be done ends the start, with the line', () => {
  const report = (text: string) => {
    try {
      tableAfter(text)
    } catch (error) {
      return (error as ConfigError).report
    }
  }
  assert.match(
    report('\nrename-command nosuch x\n')!,
    /line 2\n>>> 'rename-command nosuch x'\nNo such command in rename-command\n$/,
  )
  assert.equal(report('rename-command config CONFIG\n'), undefined)
  assert.throws(() => tableAfter('loadmodule /x.so\n'), /Can't load module from \/x\.so: server aborting/)
})

test('users beyond the default one end the start', () => {
  const refusal = /Redstart has only the user 'default' yet.*\nCan't load user/
  for (const line of ['user bob on nopass ~* &* +@all', 'user default off', 'user default on >secret ~* &* +@all'])
    assert.throws(() => tableAfter(`${line}\n`), refusal)
  assert.throws(() => tableAfter('aclfile /users.acl\n'), refusal)
})

test('the line that CONFIG REWRITE writes for the default user is taken', () => {
  tableAfter('user default on nopass sanitize-payload ~* &* +@all\n')
  const hash = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'
  tableAfter(`requirepass secret\nuser default on sanitize-payload #${hash} ~* &* +@all\n`)
  assert.throws(() => tableAfter(`requirepass other\nuser default on sanitize-payload #${hash} ~* &* +@all\n`))
})
