// From the command line to a running server, and from a signal to its end. The machine is accessed through `system`
// alone, so this runs in tests as in production.
//
//   arguments ─▶ Config ─▶ (daemonize) ─▶ log, pid file, title ─▶ start ─▶ ready ─▶ SIGTERM, SHUTDOWN ─▶ exit

import { Config } from '../config/config.ts'
import { ConfigError, ConfigFileMissing, loadConfig, parseArguments } from '../config/parser.ts'
import { expandTitle } from '../config/proctitle.ts'
import { bytesOfText } from '../config/words.ts'
import type { Command } from '../engine/catalog/command.ts'
import type { AuditEvent } from '../engine/monitoring/audit.ts'
import type { ShutdownFlag } from '../engine/ports/host.ts'
import type { ModuleToLoad } from '../modules/modules.ts'
import type { System } from '../system/system.ts'
import { logMode, logReady, logStarting, USAGE } from './banner.ts'
import { writeCrashReport } from './crash-report.ts'
import { Ending } from './ending.ts'
import type { ServerExtension } from './extension.ts'
import { Logger } from './log.ts'
import type { Authenticate, AuthenticationOptions } from './logins.ts'
import { OomScore } from './oomscore.ts'
import { OpenFiles } from './open-files.ts'
import { StartFailure } from './start-failure.ts'
import { type ServiceManager, Supervisor } from './supervisor.ts'
import { syslogProblem } from './syslog.ts'
import { versionLine } from './version.ts'

/** The default port of sentinels. */
const SENTINEL_PORT = 26379n

export interface StartServerOptions {
  /** Absolute path; absent without a file. */
  configFile?: string
  sentinel?: boolean
  /** Called when the sockets listen, before data is loaded; if it never is, that is so when the start is done. */
  onInitialized?: (server: RunningServer) => void
  extensions?: readonly ServerExtension[]
  modules?: readonly ModuleToLoad[]
  /** Absent: nobody is told of the end. */
  supervisor?: ServiceManager
  /** The server has become a primary, or the replica of one. */
  roleChanged?: () => void
  /** Ends the process in order: for SHUTDOWN, after the server's own shutdown. */
  exit?: () => void
  /** Decides logins; absent: the passwords of users do. */
  authenticate?: Authenticate
  authentication?: AuthenticationOptions
  /** Hears of logins, refusals and administrative commands. */
  audit?: (event: AuditEvent) => void
  /** Absent: all of Redis's. */
  commands?: readonly Command[]
  /** An exception has ended this server: it is closed, nothing was saved. Absent: the process ends instead. */
  failed?: (error: Error) => void
  /** Sockets do not keep the process alive. */
  unref?: boolean
  /** The cron rests while there is nothing for it to do. */
  mayRest?: boolean
  /** Size of the arena's first segment; absent: that of the others. */
  arenaStartBytes?: number
  /** Memory for its data; absent: the system's. */
  allocate?: ((bytes: number) => ArrayBuffer) | undefined
  /** The nodes file of a cluster that is just made: used when there is none, and the state is ok without a wait. */
  newCluster?: string | undefined
}

export interface RunningServer {
  /** Data is being loaded. */
  readonly isLoading?: boolean
  /** Saves and closes everything. Rejects when saving failed: the server then continues. */
  shutdown(flags?: readonly ShutdownFlag[]): Promise<void>
  /** The same at the next cron tick: until then SHUTDOWN ABORT cancels it (ShutdownAborted). */
  shutdownSoon?(flags: readonly ShutdownFlag[]): Promise<void>
  /** Ends the process for an exception that nothing caught, with a crash report. */
  fail?(error: unknown): never
  /** Called when the process ends at once: removes half-written files. */
  abandon?(): void
}

export class ShutdownAborted extends Error {}

/** The server continues, and has logged why. */
export class ShutdownFailed extends Error {}

export type StartServer = (
  config: Config,
  system: System,
  log: Logger,
  options: StartServerOptions,
) => Promise<RunningServer>

/** Set in the environment of the daemonized process. */
const DAEMON_MARK = 'REDSTART_DAEMON'

const DEFAULT_PID_FILE = '/var/run/redis.pid'

/** Starts a server as `redstart args...` does. Ends the process when there is nothing to run. */
export async function launch(args: readonly string[], system: System, start: StartServer): Promise<RunningServer> {
  answerQuestion(args, system)
  const { config, log } = readConfig(args, system)
  const supervisor = supervisorOf(config, system, log)
  const background = config.daemonize && supervisor.manager === undefined
  if (background && system.process.env(DAEMON_MARK) !== '1') {
    system.process.respawnDetached(DAEMON_MARK)
    system.process.exit(0)
  }
  if (background && config.pidfile === '') config.put('pidfile', DEFAULT_PID_FILE)

  let running: RunningServer | undefined
  const crash = (error: unknown) => {
    running?.fail?.(error)
    writeCrashReport({ log, system, config }, error)
    system.process.exit(1)
  }
  system.process.onCrash(crash)
  system.process.onSignal('SIGABRT', () => crash(new Error('crashed by signal: 6')))
  logStarting(log, system.process, args.length > 0)
  writePidFile(config, system, log)
  setTitle(config, system)
  logMode(log, config, system.process)
  const oomScore = new OomScore(system.disk, log)
  config.onChange(['oom-score-adj', 'oom-score-adj-values'], now => oomScore.apply(now))
  const openFiles = new OpenFiles(system.disk, log)
  openFiles.fit(config)
  config.onChange('maxclients', now => openFiles.refusal(now))
  config.onChange('proc-title-template', now => setTitle(now, system))

  const ending = new Ending(config, system, log)
  running = await startOrExit(start, { config, system, log, ending, supervisor, oomScore })
  logReady(log, config)
  supervisor.ready(config.replicaof !== null)
  oomScore.apply(config)
  ending.serve(running)
  return running
}

/** Handles --version and the like, which end the process. */
function answerQuestion(args: readonly string[], system: System): void {
  const { process } = system
  const bytes = (text: string) => new TextEncoder().encode(text)
  const refuse = (text: string) => {
    process.stderr(bytes(`${text}\n`))
    process.exit(1)
  }
  if (args[0] === '-v' || args[0] === '--version') {
    process.stdout(bytes(`${versionLine(process.runtime)}\n`))
    process.exit(0)
  }
  if (args[0] === '-h' || args[0] === '--help') refuse(USAGE.trimEnd())
  if (args[0] === '--test-memory')
    refuse('--test-memory is not supported by Redstart: use a memory tester such as memtester.')
  if (args[0] === '--check-system') refuse('--check-system is not supported by Redstart.')
}

function readConfig(args: readonly string[], system: System): { config: Config; log: Logger } {
  const { process, disk } = system
  const config = new Config(disk, { warn: text => log.warning(text) })
  const log: Logger = new Logger(system, config)
  if (args.includes('--sentinel')) becomeSentinel(config)
  log.role = 'C'
  try {
    loadConfig(config, parseArguments(args, disk), () => {
      log.notice('Reading config from stdin')
      return process.readStdin()
    })
  } catch (error) {
    if (error instanceof ConfigError) process.stderr(new TextEncoder().encode(error.report))
    else if (error instanceof ConfigFileMissing) log.warning(error.message)
    else throw error
    process.exit(1)
  }
  log.role = 'M'
  return { config, log }
}

/** The defaults of a sentinel that differ from a server's. */
function becomeSentinel(config: Config): void {
  config.sentinel = true
  config.put('port', SENTINEL_PORT)
  config.put('protected-mode', false)
}

/** The service manager, which is told that the start begins, where that is possible. */
function supervisorOf(config: Config, system: System, log: Logger): Supervisor {
  const supervisor = new Supervisor(config, system.process, log)
  try {
    const problem = config.syslogEnabled ? syslogProblem(system.process) : undefined
    if (problem !== undefined) throw new StartFailure(problem)
    supervisor.begin()
    return supervisor
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error
    config.put('syslog-enabled', false)
    for (const line of error.lines) log.warning(line)
    return system.process.exit(1)
  }
}

function writePidFile(config: Config, system: System, log: Logger): void {
  if (config.pidfile === '') return
  try {
    system.disk.writeFile(config.pidfile, new TextEncoder().encode(`${system.process.pid}\n`))
  } catch (error) {
    log.warning(`Failed to write PID file: ${(error as Error).message}`)
  }
}

function setTitle(config: Config, system: System): undefined {
  if (!config.setProcTitle) return
  const port = config.port || config.tlsPort
  const title = expandTitle(config.procTitleTemplate, {
    title: 'redstart',
    'listen-addr': port ? `${config.bind[0] ?? '*'}:${port}` : `unixsocket:${config.unixsocket}`,
    'server-mode': config.sentinel ? '[sentinel]' : config.clusterEnabled ? '[cluster]' : '',
    'config-file': bytesOfText(config.configFile || '-'),
    port: String(config.port),
    'tls-port': String(config.tlsPort),
    unixsocket: config.unixsocket,
  })
  if (title) system.process.setTitle(title)
}

interface StartParts {
  config: Config
  system: System
  log: Logger
  ending: Ending
  supervisor: Supervisor
  oomScore: OomScore
}

async function startOrExit(start: StartServer, parts: StartParts): Promise<RunningServer> {
  const { config, system, log, ending, supervisor, oomScore } = parts
  let initialized = false
  const onInitialized = (server: RunningServer) => {
    ending.starts(server)
    log.notice('Server initialized')
    initialized = true
  }
  try {
    const running = await start(config, system, log, {
      configFile: config.configFile || undefined,
      onInitialized,
      supervisor,
      roleChanged: () => void oomScore.apply(config),
      exit: () => ending.exit(),
    })
    if (!initialized) onInitialized(running)
    return running
  } catch (error) {
    if (error instanceof StartFailure) {
      for (const line of error.lines) log.warning(line)
      return system.process.exit(error.exitCode)
    }
    if (error instanceof ConfigError) system.process.stderr(new TextEncoder().encode(error.report))
    else throw error
    return system.process.exit(1)
  }
}
