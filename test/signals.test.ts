// Signals to a server in its own process, on the runtime of this test; with REDIS_SERVER, to redis-server.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { oraclePath } from './harness/oracle.ts'
import { PlainConnection, ServerProcess } from './harness/server-process.ts'
import { freePort, sleep, untilListening } from './harness/target.ts'
import { projectRoot } from './tidy/source.ts'

const skip = process.platform === 'win32' ? 'there are no such signals' : false
const main = join(projectRoot, process.versions['bun'] ? 'src/main.ts' : 'build/src/main.js')
const command = oraclePath ?? `${process.execPath} ${main}`

async function inProcess(body: (server: ServerProcess, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-signals-'))
  const server = await ServerProcess.start(command, folder, { save: '3600 1' })
  try {
    await body(server, folder)
  } finally {
    await server.kill()
    rmSync(folder, { recursive: true })
  }
}

for (const name of ['SIGHUP', 'SIGPIPE', 'SIGALRM', 'SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH'] as const) {
  test(`${name} does nothing`, { skip }, () =>
    inProcess(async server => {
      for (let i = 0; i < 3; i++) {
        server.signal(name)
        assert.equal(await Promise.race([server.call('INCR', 'n'), server.ended]), i + 1)
      }
      server.signal('SIGTERM')
      assert.equal(await server.ended, 0)
    }),
  )
}

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  test(`${name} ends in order, with the data saved`, { skip }, () =>
    inProcess(async (server, folder) => {
      await server.call('SET', 'k', 'v')
      server.signal(name)
      assert.equal(await server.ended, 0)
      assert.match(server.log, /bye bye/)
      assert.ok(existsSync(join(folder, 'dump.rdb')))
    }),
  )
}

for (const name of ['SIGUSR1', 'SIGUSR2', 'SIGQUIT', 'SIGXCPU', 'SIGVTALRM', 'SIGIO'] as const) {
  test(`${name} ends the process by itself`, { skip }, () =>
    inProcess(async (server, folder) => {
      await server.call('SET', 'k', 'v')
      server.signal(name)
      assert.equal(await server.ended, name)
      assert.doesNotMatch(server.log, /REPORT START/)
      assert.equal(existsSync(join(folder, 'dump.rdb')), false)
    }),
  )
}

test('SIGABRT ends with a crash report', { skip }, () =>
  inProcess(async (server, folder) => {
    await server.call('SET', 'k', 'v')
    server.signal('SIGABRT')
    assert.equal(await server.ended, oraclePath === undefined ? 1 : 'SIGABRT')
    assert.match(readFileSync(join(folder, 'log'), 'latin1'), /crashed by signal: 6/)
    assert.equal(existsSync(join(folder, 'dump.rdb')), false)
  }),
)

test('SIGTERM as soon as the port is open ends in order', { skip }, async () => {
  // When the signal arrives is a matter of milliseconds: one try would not show a window in which it is lost.
  for (let left = 5; left > 0; left--) {
    const folder = mkdtempSync(join(tmpdir(), 'redstart-signals-'))
    const port = await freePort()
    const [program, ...words] = command.split(' ')
    const options = ['--port', String(port), '--dir', folder, '--save', '', '--logfile', join(folder, 'log')]
    const child = spawn(program, [...words, ...options], { stdio: 'ignore' })
    const ended = new Promise(resolve => child.once('exit', (code, signal) => resolve(code ?? signal)))
    await untilListening(port, child)
    child.kill('SIGTERM')
    const lost = setTimeout(() => child.kill('SIGKILL'), 10_000)
    assert.equal(await ended, 0)
    clearTimeout(lost)
    assert.match(readFileSync(join(folder, 'log'), 'latin1'), /bye bye/)
    rmSync(folder, { recursive: true })
  }
})

test('a daemon ignores the end of its terminal', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-signals-'))
  const port = await freePort()
  const [program, ...words] = command.split(' ')
  const pidFile = join(folder, 'pid')
  // The path of the configuration file is relative, and the server's folder another one.
  mkdirSync(join(folder, 'data'))
  writeFileSync(
    join(folder, 'a.conf'),
    `port ${port}\ndir ${folder}/data\nsave ""\ndaemonize yes\npidfile ${pidFile}\n`,
  )
  const child = spawn(program, [...words, 'a.conf'], { stdio: 'ignore', cwd: folder })
  await new Promise(resolve => child.once('exit', resolve))
  await untilListening(port)
  // redis-server 7.0 listens before it writes its pid.
  for (let left = 1000; left > 0 && !(existsSync(pidFile) && statSync(pidFile).size > 0); left--) await sleep(10)
  const pid = Number(readFileSync(pidFile, 'latin1'))
  process.kill(pid, 'SIGHUP')
  const connection = new PlainConnection(port)
  assert.equal(await connection.call('PING'), 'PONG')
  process.kill(pid, 'SIGTERM')
  for (let left = 1000; left > 0 && existsSync(pidFile); left--) await sleep(10)
  assert.equal(existsSync(pidFile), false)
  connection.close()
  rmSync(folder, { recursive: true })
})
