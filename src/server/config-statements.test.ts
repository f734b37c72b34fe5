import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configCommands } from '../commands/server/config.ts'
import { stringCommands } from '../commands/string/index.ts'
import { Config } from '../config/config.ts'
import { type ConfigError, loadText } from '../config/parser.ts'
import type { CommandTable } from '../engine/catalog/table.ts'
import { Engine } from '../engine/engine.ts'
import { Slice } from '../lib/slice.ts'
import { virtualSystem } from '../system/virtual.ts'
import { applyConfigStatements, loadUsers } from './config-statements.ts'

function engineAfter(text: string): Engine {
  const config = new Config(virtualSystem().disk)
  loadText(config, text)
  const machine = { nowMs: () => 0, monotonicUs: () => 0, random: () => 0, soon: () => {} }
  const engine = new Engine(machine, [...configCommands, ...stringCommands], 1)
  applyConfigStatements(config, engine.table, engine.acl)
  loadUsers(config, engine.acl, { notice: () => {} })
  return engine
}

const tableAfter = (text: string): CommandTable => engineAfter(text).table
const usersAfter = (text: string): string[] => engineAfter(text).acl.all.map(user => user.line)

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
  assert.throws(
    () => tableAfter('search.threads 4\n'),
    /'search\.threads'[\s\S]*\nModule Configuration detected without/,
  )
})

test('user lines make users, and replace the default one', () => {
  assert.deepEqual(usersAfter('user bob on nopass ~a* ( %R~b* +get ) -@all +set\nuser default off resetkeys\n'), [
    'user bob on nopass sanitize-payload ~a* resetchannels -@all +set (%R~b* resetchannels -@all +get)',
    'user default off sanitize-payload resetchannels -@all',
  ])
})

test('requirepass is the password of the default user, unless its line says otherwise', () => {
  const hash = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'
  assert.deepEqual(usersAfter('requirepass secret\n'), [`user default on sanitize-payload #${hash} ~* &* +@all`])
  assert.deepEqual(usersAfter('requirepass other\nuser default on >secret ~* &* +@all\n'), [
    `user default on sanitize-payload #${hash} ~* &* +@all`,
  ])
})

test('user lines that cannot be read end the start', () => {
  const why = (text: string) => {
    try {
      usersAfter(text)
    } catch (error) {
      return (error as ConfigError).message
    }
  }
  assert.match(why('user bob +get -nosuch\n')!, /^Error loading ACL rule '-nosuch' for the user named 'bob': Unknown/)
  assert.match(why('user bob on\nuser bob off\n')!, /^Error in user declaration 'bob': Duplicate user found\./)
  assert.match(why('user bob on #12\n')!, /^Error in user declaration 'bob': The password hash must be exactly/)
  assert.match(why('user bob (+get\n')!, /^Error in user declaration '/)
  assert.match(why('aclfile /users.acl\nuser bob on\n')!, /^Users are defined by user directives and by an ACL file/)
})
