import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { System } from '../system/system.ts'
import { VirtualExit, type VirtualMachine, virtualSystem } from '../system/virtual.ts'
import { SUSPENDED } from '../system/virtual-process.ts'
import { launch, type RunningServer, type StartServer } from './launch.ts'
import { StartFailure } from './start-failure.ts'
import { REDSTART_VERSION } from './version.ts'

const started: StartServer = async () => ({ shutdown: async () => {} })

const machines = new Map<System, VirtualMachine>()
const machineOf = (system: System) => machines.get(system)!

/** Launches on a new machine; the lines of its log, without stamps. */
async function run(
  args: string[],
  start: StartServer = started,
  prepare?: (machine: ReturnType<typeof virtualSystem>) => void,
) {
  const machine = virtualSystem({ cwd: '/data' })
  machines.set(machine.system, machine)
  prepare?.(machine)
  let running: RunningServer | undefined
  try {
    running = await launch(args, machine.system, start)
  } catch (error) {
    if (!(error instanceof VirtualExit)) throw error
  }
  const lines = () => machine.out.split('\n').map(line => line.replace(/^4242:[CM] .{24} . /, ''))
  return { machine, running, lines }
}

test('the log of a start has the lines programs wait for', async () => {
  const { lines, machine } = await run(['--port', '7000', '--unixsocket', '/data/s'])
  assert.deepEqual(lines(), [
    'oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo',
    'Redis version=7.2.4, bits=64, commit=00000000, modified=0, pid=4242, just started',
    `Redstart version=${REDSTART_VERSION}, runtime=virtual 0`,
    'Configuration loaded',
    'Running mode=standalone, port=7000.',
    'Server initialized',
    'Ready to accept connections tcp',
    'Ready to accept connections unix',
    '',
  ])
  // A process is no primary before its configuration is read.
  assert.deepEqual([...machine.out.matchAll(/^4242:([A-Z])/gm)].map(([, role]) => role).join(''), 'CCCCMMMM')
  const logo = await run(['--always-show-logo', 'yes'])
  assert.match(logo.machine.out, / PID: 4242\n[\s\S]*Server initialized/)
  assert.match((await run([])).machine.out, /# Warning: no config file specified/)
})

test('questions are answered', async () => {
  const version = await run(['--version'])
  assert.match(
    version.machine.out,
    /^Redis server v=7\.2\.4 sha=00000000:0 malloc=redstart-\S+ bits=64 build=[0-9a-f]{16}/,
  )
  assert.equal(version.machine.exitCode, 0)
  assert.match((await run(['-h'])).machine.err, /^Usage: redstart /)
  for (const option of ['--test-memory', '--check-system']) {
    const { machine } = await run([option])
    assert.match(machine.err, /not supported by Redstart/)
    assert.equal(machine.exitCode, 1)
  }
})

test('the version is that of the package', () => {
  const { version } = JSON.parse(
    readFileSync(
      new URL(import.meta.url.includes('/build/') ? '../../../package.json' : '../../package.json', import.meta.url),
      'utf8',
    ),
  )
  assert.equal(REDSTART_VERSION, version)
})

test('a configuration that cannot be read ends the process', async () => {
  const bad = await run(['--port', 'x'])
  assert.match(bad.machine.err, /FATAL CONFIG FILE ERROR[\s\S]*at line 2\n>>> 'port "x"'\nargument couldn't be parsed/)
  assert.equal(bad.machine.exitCode, 1)
  const none = await run(['none.conf'])
  assert.match(
    none.machine.out,
    /:C .* # Fatal error, can't open config file '\/data\/none.conf': No such file or directory\n/,
  )
  assert.equal(none.machine.exitCode, 1)
})

test('a start that fails for a reason says it and ends the process', async () => {
  const { machine, lines } = await run([], async () => {
    throw new StartFailure('Failed listening on port 6379 (tcp), aborting.')
  })
  assert.equal(lines().at(-2), 'Failed listening on port 6379 (tcp), aborting.')
  assert.equal(machine.exitCode, 1)
})

test('SIGTERM shuts down in order', async () => {
  const asked: unknown[] = []
  const { machine, lines } = await run(['--pidfile', 'r.pid', '--shutdown-on-sigterm', 'nosave now'], async () => ({
    shutdown: async flags => void asked.push(flags),
  }))
  assert.equal(new TextDecoder().decode(machine.disk.readFile('r.pid')), '4242\n')
  const mark = lines().length - 1
  machine.signal('SIGTERM')
  await new Promise(resolve => setTimeout(resolve, 0))
  assert.throws(() => machine.settle(), VirtualExit)
  assert.deepEqual(asked, [['nosave', 'now']])
  assert.deepEqual(lines().slice(mark), [
    '4242:signal-handler (1700000000) Received SIGTERM scheduling shutdown...',
    'Removing the pid file.',
    'Redis is now ready to exit, bye bye...',
    '',
  ])
  assert.deepEqual([machine.exitCode, machine.disk.stat('r.pid')], [0, null])
})

test('a shutdown that fails leaves the server running, a second Ctrl-C does not wait', async () => {
  let answer = (_error: Error) => {}
  const { machine } = await run([], async () => ({
    shutdown: () =>
      new Promise((_, reject) => {
        answer = reject
      }),
  }))
  machine.signal('SIGINT')
  answer(new Error('disk full'))
  await new Promise(resolve => setTimeout(resolve, 0))
  assert.match(machine.out, /# Errors trying to shut down the server/)
  assert.equal(machine.exitCode, null)
  machine.signal('SIGINT')
  assert.throws(() => machine.signal('SIGINT'), VirtualExit)
  assert.match(machine.out, /You insist\.\.\. exiting now\./)
})

test('a signal before the server runs waits for it, and ends at once while data is loaded', async () => {
  const { machine } = await run([], async (_config, system, _log, options) => {
    const server = { shutdown: async () => {}, isLoading: false }
    machineOf(system).signal('SIGTERM')
    options.onInitialized?.(server)
    return server
  })
  assert.equal(machine.exitCode, null)
  await new Promise(resolve => setTimeout(resolve, 0))
  assert.throws(() => machine.settle(), VirtualExit)
  assert.equal(machine.exitCode, 0)
  const loading = await run([], async (_config, system, _log, options) => {
    const server = { shutdown: async () => {}, isLoading: true }
    options.onInitialized?.(server)
    machineOf(system).signal('SIGTERM')
    return server
  })
  assert.match(loading.machine.out, /Received shutdown signal during loading, exiting now\./)
  assert.equal(loading.machine.exitCode, 1)
})

test('signals that say nothing are ignored, SIGUSR1 is let through', async () => {
  const { machine } = await run([])
  machine.signal('SIGHUP')
  machine.signal('SIGALRM')
  assert.deepEqual([machine.endedBy, machine.exitCode], ['', null])
  machine.signal('SIGUSR1')
  assert.equal(machine.endedBy, 'SIGUSR1')
})

test('daemonize starts the program again and leaves', async () => {
  const parent = await run(['--daemonize', 'yes'])
  assert.deepEqual([parent.machine.respawns, parent.machine.exitCode, parent.machine.out], [1, 0, ''])
  const child = await run(['--daemonize', 'yes', '--pidfile', '/data/x.pid'], started, machine => {
    machine.environment['REDSTART_DAEMON'] = '1'
  })
  assert.equal(child.machine.respawns, 0)
  assert.ok(child.machine.disk.stat('/data/x.pid'))
})

test('a bug ends the process with a report', async () => {
  const { machine } = await run([])
  assert.throws(() => machine.crash(new Error('not so')), VirtualExit)
  assert.match(machine.out, /CRASH REPORT START[\s\S]*uncaught error: Error: not so\n[\s\S]*CRASH REPORT END/)
  assert.equal(machine.exitCode, 1)
})

test('oom-score-adj is set at the start, and anew when the role changes', async () => {
  let becomeReplica = () => {}
  const start: StartServer = async (config, _system, _log, options) => {
    becomeReplica = () => {
      config.put('replicaof', { host: 'primary', port: 6379 })
      options.roleChanged?.()
    }
    return { shutdown: async () => {} }
  }
  const { machine } = await run(
    ['--oom-score-adj', 'yes', '--oom-score-adj-values', '5', '200', '800'],
    start,
    ({ disk }) => {
      disk.mkdir('/proc')
      disk.mkdir('/proc/self')
      disk.writeFile('/proc/self/oom_score_adj', new TextEncoder().encode('10\n'))
    },
  )
  const score = () => new TextDecoder().decode(machine.disk.readFile('/proc/self/oom_score_adj'))
  assert.equal(score(), '15\n')
  becomeReplica()
  assert.equal(score(), '210\n')
})

test('the title follows its template', async () => {
  const { machine } = await run([
    '--port',
    '7000',
    '--proc-title-template',
    '{title} on {listen-addr} {{x} {server-mode}',
  ])
  assert.equal(machine.title, 'redstart on *:7000 {x}')
})

test('systemd is told of the start and waits for nothing', async () => {
  const prepare = (machine: ReturnType<typeof virtualSystem>) => {
    machine.environment['NOTIFY_SOCKET'] = '/run/systemd/notify'
    machine.programs.installed.add('systemd-notify')
  }
  for (const mode of ['systemd', 'auto']) {
    const { machine } = await run(['--supervised', mode, '--daemonize', 'yes'], started, prepare)
    assert.equal(machine.respawns, 0, 'a supervised process stays in the foreground')
    assert.deepEqual(machine.programs.ran, [
      'systemd-notify STATUS=Redstart is loading...',
      'systemd-notify STATUS=Ready to accept connections READY=1',
    ])
  }
})

test('where systemd cannot be told, the start fails at once', async () => {
  const { machine, lines } = await run(['--supervised', 'systemd'], started, made => {
    made.environment['NOTIFY_SOCKET'] = '/run/systemd/notify'
  })
  assert.match(lines()[0], /^systemd expects messages, .* systemd-notify could not send one: No such file or directory/)
  assert.equal(machine.exitCode, 1)
})

test('without its mark in the environment a service manager is nobody', async () => {
  const { lines, machine } = await run(['--supervised', 'systemd'])
  assert.equal(lines()[0], 'systemd supervision requested, but NOTIFY_SOCKET not found!')
  assert.deepEqual(machine.programs.ran, [])
  const upstart = await run(['--supervised', 'upstart'])
  assert.equal(upstart.lines()[0], 'upstart supervision requested, but UPSTART_JOB not found!')
  assert.deepEqual(upstart.machine.programs.ran, [])
})

test('upstart sees the process stop itself once', async () => {
  const { machine } = await run(['--supervised', 'auto'], started, made => {
    made.environment['UPSTART_JOB'] = 'redstart'
  })
  assert.deepEqual(machine.programs.ran, [SUSPENDED])
})

test('syslog-enabled gives lines to logger, by level, and is refused without it', async () => {
  const { machine } = await run(['--syslog-enabled', 'yes', '--syslog-facility', 'local3'], started, made => {
    made.programs.installed.add('logger')
  })
  assert.ok(machine.programs.ran.includes('logger -t redis[4242] -p local3.notice < Server initialized\n'))
  assert.match(machine.out, /\* Server initialized\n/)
  const none = await run(['--syslog-enabled', 'yes'])
  assert.match(none.machine.out, /# syslog-enabled needs the program logger: No such file or directory\n$/)
  assert.equal(none.machine.exitCode, 1)
})

test('crash-log-enabled no leaves the report out, not the error', async () => {
  const { machine } = await run(['--crash-log-enabled', 'no'])
  assert.throws(() => machine.crash(new Error('not so')), VirtualExit)
  assert.match(machine.out, /uncaught error: Error: not so\n/)
  assert.doesNotMatch(machine.out, /CRASH REPORT/)
})
