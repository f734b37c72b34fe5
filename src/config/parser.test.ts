import assert from 'node:assert/strict'
import { test } from 'node:test'
import { virtualSystem } from '../system/virtual.ts'
import { Config } from './config.ts'
import { ConfigError, ConfigFileMissing, loadConfig, loadText, matchingFiles, parseArguments } from './parser.ts'

const files: { [path: string]: string } = {
  '/etc/redis.conf': '# comment\nport 7001\nsave 900 1\nINCLUDE extra.conf\n',
  '/data/extra.conf': 'maxmemory 5mb\n',
  '/data/conf.d/b.conf': 'timeout 2\nhz 20',
  '/data/conf.d/a.conf': 'timeout 1\n',
  '/data/conf.d/.hidden.conf': 'timeout 9\n',
}

function machineWithFiles() {
  const machine = virtualSystem({ cwd: '/data' })
  machine.disk.mkdir('/etc')
  machine.disk.mkdir('/data/conf.d')
  for (const [path, text] of Object.entries(files)) machine.disk.writeFile(path, new TextEncoder().encode(text))
  return machine
}

function started(...args: string[]): Config {
  const machine = machineWithFiles()
  machine.stdin = new TextEncoder().encode('timeout 33\n')
  const config = new Config(machine.disk, { takesEverything: true })
  loadConfig(config, parseArguments(args, machine.disk), () => machine.system.process.readStdin())
  return config
}

function report(text: string): string {
  try {
    loadText(new Config(machineWithFiles().disk, { takesEverything: true }), text)
  } catch (error) {
    if (error instanceof ConfigError) return error.report
    throw error
  }
  return 'no error'
}

const values = (config: Config, ...names: string[]) => names.map(name => config.print(name))

test('a file, what it includes, and the command line after it', () => {
  const config = started('/etc/redis.conf', '--port', '7002', '--appendonly', 'yes')
  assert.deepEqual(values(config, 'port', 'appendonly', 'save', 'maxmemory'), ['7002', 'yes', '900 1', '5242880'])
  assert.equal(config.configFile, '/etc/redis.conf')
  assert.equal(started('../etc/redis.conf').configFile, '/etc/redis.conf')
})

test('save lines add up, the first replaces the default, an empty one clears', () => {
  assert.deepEqual(values(started('/etc/redis.conf', '--save', '100', '100'), 'save'), ['900 1 100 100'])
  assert.deepEqual(values(started('/etc/redis.conf', '--save', ''), 'save'), [''])
  assert.deepEqual(values(started('--save', '900 1 300 10'), 'save'), ['900 1 300 10'])
  assert.deepEqual(values(started('--save', '900', '1', '300', '10'), 'save'), ['900 1 300 10'])
})

test('options of the command line take the forms redis-server takes', () => {
  assert.deepEqual(values(started('--maxmemory 700mb', "--maxmemory-policy 'volatile-lru'"), 'maxmemory'), [
    '734003200',
  ])
  const title = ['--proc-title-template', '--my--title', '--loglevel', 'verbose']
  assert.deepEqual(values(started(...title), 'proc-title-template', 'loglevel'), ['--my--title', 'verbose'])
  assert.deepEqual(values(started('--save', '--loglevel', 'verbose'), 'save', 'loglevel'), ['', 'verbose'])
  assert.deepEqual(values(started('--loglevel', 'verbose', '--save'), 'save', 'loglevel'), ['', 'verbose'])
  assert.deepEqual(values(started('--proc-title-template', '--save', '--save', ''), 'proc-title-template', 'save'), [
    '--save',
    '',
  ])
  const signals = started('--shutdown-on-sigint', 'nosave', 'force', 'now', '--shutdown-on-sigterm', 'nosave force')
  assert.deepEqual(values(signals, 'shutdown-on-sigint', 'shutdown-on-sigterm'), ['nosave now force', 'nosave force'])
  assert.deepEqual(values(started('--replicaof', '127.0.0.1', '6380'), 'replicaof'), ['127.0.0.1 6380'])
  assert.deepEqual(values(started('--requirepass', 'a b"c'), 'requirepass'), ['a b"c'])
})

test('a dash reads standard input, before the options', () => {
  assert.deepEqual(values(started('-'), 'timeout'), ['33'])
  assert.deepEqual(values(started('/etc/redis.conf', '--timeout', '4', '-'), 'timeout', 'port'), ['4', '7001'])
})

test('includes with wildcards take what is there, in order', () => {
  const config = started('--include', 'conf.d/*.conf')
  assert.deepEqual(values(config, 'timeout', 'hz'), ['2', '20'])
  assert.deepEqual(matchingFiles(machineWithFiles().disk, '/*/extra.co[nm]f'), ['/data/extra.conf'])
  started('--include', 'none/*.conf')
  assert.throws(() => started('--include', 'none.conf'), ConfigFileMissing)
  assert.throws(() => started('none.conf'), /can't open config file '\/data\/none.conf': No such file or directory/)
})

test('errors show the line', () => {
  const head = '\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\n'
  const at = (line: number, text: string, why: string) =>
    `${head}Reading the configuration file, at line ${line}\n>>> '${text}'\n${why}\n`
  assert.equal(report('port 1\n  what now\n'), at(2, 'what now', 'Bad directive or wrong number of arguments'))
  assert.equal(report('port "1'), at(1, 'port "1', 'Unbalanced quotes in configuration line'))
  assert.equal(report('port'), at(1, 'port', 'wrong number of arguments'))
  assert.equal(report('port x'), at(1, 'port x', "argument couldn't be parsed into an integer"))
  assert.equal(report('sentinel monitor'), at(1, 'sentinel monitor', 'sentinel directive while not in sentinel mode'))
  assert.equal(report('m.x'), at(1, 'm.x', 'Module config specified without value'))
  assert.equal(report('logfile /no/x'), `${head}Can't open the log file: No such file or directory\n`)
  assert.equal(report('cluster-enabled yes\nslaveof a 1\n'), `${head}replicaof directive not allowed in cluster mode\n`)
  assert.equal(report('lua-replicate-commands yes'), 'no error')
})

test('the message for programs names the directive and its value', () => {
  const config = new Config(machineWithFiles().disk)
  assert.throws(() => loadText(config, 'maxmemory nonsense'), {
    message: "argument must be a memory value: 'maxmemory nonsense'",
  })
})

test('statements for other parts are kept with their lines', () => {
  const config = new Config(machineWithFiles().disk)
  loadText(config, '\nrename-command CONFIG ""\nuser alice on nopass ~* +@all\nloadmodule /m.so a b\n')
  assert.deepEqual(
    config.statements.map(({ words, line }) => [line, ...words]),
    [
      [2, 'rename-command', 'CONFIG', ''],
      [3, 'user', 'alice', 'on', 'nopass', '~*', '+@all'],
      [4, 'loadmodule', '/m.so', 'a', 'b'],
    ],
  )
})

test('a cluster node has one database', () => {
  const warned: string[] = []
  const config = new Config(machineWithFiles().disk, { takesEverything: true, warn: text => warned.push(text) })
  loadText(config, 'cluster-enabled yes\n')
  assert.equal(config.databases, 1)
  assert.deepEqual(warned, ['WARNING: Changing databases number from 16 to 1 since we are in cluster mode'])
})
