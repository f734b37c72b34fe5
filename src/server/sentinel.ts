// A server in sentinel mode: the commands of a sentinel on an engine without a dataset, and its state in the
// configuration file.
//
//   sentinel lines of the file ─▶ Sentinel ─▶ connections to other servers
//                                   │  ▲
//          configuration file ◀─────┘  └──── SENTINEL commands, hello messages

import { allCommands } from '../commands/index.ts'
import type { Config } from '../config/config.ts'
import { rewriteConfigFile } from '../config/file.ts'
import { ConfigError } from '../config/parser.ts'
import { Slice } from '../lib/slice.ts'
import { sentinelCommands } from '../sentinel/commands.ts'
import { hostsOf, linesOf, readLines, type SentinelLine } from '../sentinel/configuration.ts'
import { Sentinel, type SentinelHost } from '../sentinel/sentinel.ts'
import { newId } from '../system/random.ts'
import { attempt, type System } from '../system/system.ts'
import type { RunningServer, StartServerOptions } from './launch.ts'
import type { Logger } from './log.ts'
import { Server } from './server.ts'
import { StartFailure } from './start-failure.ts'

/** Ticks a second: TICK_HZ to TICK_HZ * 2 - 1, at random, so that sentinels do not act in step. */
const TICK_HZ = 10
const EXECUTABLE = 0o111
/** Exit code of SENTINEL SIMULATE-FAILURE. */
const SIMULATED_FAILURE = 99

/** Starts a sentinel as `redstart --sentinel FILE` does. */
export async function startSentinel(
  config: Config,
  system: System,
  log: Logger,
  options: StartServerOptions,
): Promise<RunningServer> {
  log.role = 'X'
  checkConfigFile(config, system)
  const lines = config.statements.filter(({ words }) => words[0] === 'sentinel').map(sentinelLine)
  let server: Server
  const sentinel = new Sentinel(
    hostOf(
      config,
      system,
      log,
      () => server,
      () => sentinel,
    ),
  )
  await resolveHosts(sentinel, lines)
  const refused = readLines(sentinel, lines)
  if (refused !== undefined) throw new ConfigError(refused[1], refused[0].line, refused[0].text)
  const commands = sentinelCommands(sentinel, options.commands ?? allCommands)
  server = new Server(config, system, log, { ...options, sentinel: true, commands })
  await server.listen()
  if (!server.listening) throw new StartFailure('Configured to not listen anywhere, exiting.')
  options.onInitialized?.(server)
  begin(sentinel, system, log)
  return running(sentinel, server, system)
}

function sentinelLine({ words, line, text }: { words: readonly string[]; line: number; text: string }): SentinelLine {
  return { words: words.slice(1), line, text }
}

/** State must be saved before votes are given: there is no sentinel without a writable file. */
function checkConfigFile(config: Config, { disk }: System): void {
  const { configFile } = config
  if (configFile === '') throw new StartFailure('Sentinel needs config file on disk to save state. Exiting...')
  const error = attempt(() => disk.close(disk.open(configFile, 'r+')))
  if (error !== undefined)
    throw new StartFailure(`Sentinel config file ${configFile} is not writable: ${error.message}. Exiting...`)
}

/** Names in the file are resolved before it is read, where resolve-hostnames says so. */
async function resolveHosts({ addresses }: Sentinel, lines: readonly SentinelLine[]): Promise<void> {
  const resolves = lines.some(
    ({ words }) => words[0].toLowerCase() === 'resolve-hostnames' && words[1]?.toLowerCase() === 'yes',
  )
  if (!resolves) return
  addresses.resolveHostnames = true
  await Promise.all(hostsOf(lines).map(host => new Promise<void>(resolve => addresses.resolved(host, resolve))))
}

function hostOf(
  config: Config,
  system: System,
  log: Logger,
  server: () => Server,
  sentinel: () => Sentinel,
): SentinelHost {
  const { clock, random, disk, process } = system
  // From the start on, by the clock that does not jump.
  const offsetMs = clock.nowMs() - clock.monotonicUs() / 1000
  return {
    system: { ...system, network: networkOf(system, server) },
    nowMs: () => offsetMs + clock.monotonicUs() / 1000,
    wallMs: () => clock.nowMs(),
    random: limit => Math.floor(random.unit() * limit),
    log: (level, text) => log.line(level, text),
    logLevel: () => config.print('loglevel') ?? '',
    setLogLevel: level => config.put('loglevel', level),
    publish: (channel, message) => void server().engine.pubsub.publish(Slice.of(channel), Slice.of(message)),
    save: () =>
      attempt(() => {
        const state = [...linesOf(sentinel())].map(([name, lines]) => ({ name, lines }))
        rewriteConfigFile(config, random, server().userLines(), false, state)
      })?.message,
    port: () => (config.tlsReplication && config.tlsPort) || config.port || config.tlsPort,
    password: () => config.requirepass,
    spawn: (words, ended) => process.spawn(words, ended),
    isExecutable: path => ((disk.stat(path)?.mode ?? 0) & EXECUTABLE) !== 0,
    crash: () => process.exit(SIMULATED_FAILURE),
  }
}

/** The server is made after its sentinel. */
function networkOf({ network }: System, server: () => Server): SentinelHost['system']['network'] {
  return {
    dial: (address, timeoutMs, done) => server().dial(address, timeoutMs, done),
    resolve: (name, done) => network.resolve(name, done),
  }
}

/** The first steps: an id for life, and an event for each primary. */
function begin(sentinel: Sentinel, system: System, log: Logger): void {
  if (sentinel.id === '') {
    sentinel.id = newId(system.random)
    sentinel.save()
  }
  log.notice(`Sentinel ID is ${sentinel.id}`)
  for (const primary of sentinel.primaries.values())
    sentinel.events.about(primary, 'warning', '+monitor', ` quorum ${primary.settings.quorum}`)
}

/** The sentinel's ticks, until its server ends. */
function running(sentinel: Sentinel, server: Server, { timers, random }: System): RunningServer {
  let over = false
  const again = (): void => {
    const hz = TICK_HZ + Math.floor(random.unit() * TICK_HZ)
    timers.after(1000 / hz, () => {
      if (over) return
      server.engine.boundary.guard(() => sentinel.tick())
      again()
    })
  }
  again()
  const end = async (work: Promise<void>) => {
    await work
    over = true
    sentinel.stop()
  }
  return {
    shutdown: () => end(server.shutdown(['nosave'])),
    shutdownSoon: () => end(server.shutdownSoon(['nosave'])),
    fail: error => server.fail(error),
    abandon: () => server.abandon(),
  }
}
