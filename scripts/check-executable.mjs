// Builds the stand-alone executable and starts it as a stranger would: without the repository, in an empty folder whose
// .env and bunfig.toml it must not read. Ends with one line, 'N passed, N failed'.

import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ask, close, freePort, pings, step } from './steps.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), 'redstart-executable-'))
const redstart = join(folder, 'redstart')
/** A program that listens on `port`, asked until it answers, then ended by SIGTERM. */
async function serves(name, program, args, port, conversation) {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', data => (log += data))
  const ended = new Promise(resolve => child.on('exit', resolve))
  const answer = await pings(port)
  step(`${name} answers`, answer === '+PONG\r\n', log)
  for (const [command, expected] of conversation) {
    const reply = await ask(port, command)
    step(`${name}: ${command}`, expected.test(reply), reply)
  }
  child.kill('SIGTERM')
  const code = await ended
  step(`${name} ends on SIGTERM with exit code 0`, code === 0, `exit code ${code}\n${log}`)
}

const build = spawnSync(process.execPath, [join(root, 'scripts/executable.mjs')], { cwd: root, encoding: 'utf8' })
step('it is built', build.status === 0, `${build.stdout}${build.stderr}`)
copyFileSync(join(root, 'build/executable/redstart'), redstart)
symlinkSync(redstart, join(folder, 'redstart-sentinel'))
writeFileSync(join(folder, '.env'), 'TZ=Pacific/Apia\nREDSTART_STRANGER=1\n')
writeFileSync(join(folder, 'bunfig.toml'), 'preload = ["./absent.ts"]\n')

const version = spawnSync(redstart, ['--version'], { cwd: folder, encoding: 'utf8' })
step('--version', version.status === 0 && /redstart=/.test(version.stdout), version.stderr)

const port = await freePort()
await serves('the server', redstart, ['--port', String(port), '--save', '3600 1'], port, [
  ['SET greeting hello', /^\+OK/],
  ['GET greeting', /hello/],
  ['EVAL "return redis.call(\'GET\', KEYS[1])" 1 greeting', /hello/],
])
step('it saved its data', existsSync(join(folder, 'dump.rdb')))
const check = spawnSync(redstart, ['check', 'dump.rdb'], { cwd: folder, encoding: 'utf8' })
step('its tool reads them', check.status === 0, `${check.stdout}${check.stderr}`)

const daemonPort = await freePort()
const daemon = ['--port', String(daemonPort), '--daemonize', 'yes', '--save', '']
step('it goes to the background', spawnSync(redstart, daemon, { cwd: folder }).status === 0)
step('and answers there', (await pings(daemonPort)) === '+PONG\r\n')
await ask(daemonPort, 'SHUTDOWN')

const sentinelPort = await freePort()
const watched = `port ${sentinelPort}\nsentinel monitor main 127.0.0.1 ${port} 1\n`
writeFileSync(join(folder, 'sentinel.conf'), watched)
await serves('the sentinel', join(folder, 'redstart-sentinel'), ['sentinel.conf'], sentinelPort, [['ROLE', /sentinel/]])

rmSync(folder, { recursive: true, force: true })
close()
