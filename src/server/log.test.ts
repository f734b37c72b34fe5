import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualSystem } from '../system/virtual.ts'
import { Logger, type LogSettings, logTime } from './log.ts'

const QUIET = { logfile: '', syslogEnabled: false, syslogIdent: 'redis', syslogFacility: 'local0' }

test('a line has the process, the role, the time and the level', () => {
  const machine = virtualSystem({ startMs: Date.UTC(2024, 2, 5, 17, 4, 59, 12) })
  const log = new Logger(machine.system, { ...QUIET, loglevel: 'notice' })
  log.notice('one')
  log.role = 'S'
  log.warning('two')
  log.verbose('not written')
  log.signal('Received SIGTERM scheduling shutdown...')
  assert.equal(
    machine.out,
    '4242:M 05 Mar 2024 17:04:59.012 * one\n' +
      '4242:S 05 Mar 2024 17:04:59.012 # two\n' +
      '4242:signal-handler (1709658299) Received SIGTERM scheduling shutdown...\n',
  )
})

test('level and file count from the next line on', () => {
  const machine = virtualSystem()
  const settings: { -readonly [name in keyof LogSettings]: LogSettings[name] } = { ...QUIET, loglevel: 'debug' }
  const log = new Logger(machine.system, settings)
  log.debug('a')
  settings.loglevel = 'nothing'
  log.warning('b')
  settings.loglevel = 'warning'
  settings.logfile = 'server.log'
  log.warning('c')
  settings.logfile = 'no/such/folder.log'
  log.warning('lost')
  assert.match(machine.out, /^[^\n]* \. a\n$/)
  assert.match(new TextDecoder().decode(machine.disk.readFile('server.log')), /^[^\n]* # c\n$/)
})

test('time is local time', () => {
  assert.equal(logTime(Date.UTC(2023, 11, 31, 23, 30, 0, 5), 60), '01 Jan 2024 00:30:00.005')
})
