// The log lines of the start. Programs that start redis-server wait for some of them, so their words are Redis's.

import type { Config } from '../config/config.ts'
import type { ProcessView } from '../system/system.ts'
import type { Logger } from './log.ts'
import { REDIS_VERSION, REDSTART_VERSION } from './version.ts'

export const USAGE = `Usage: redstart [FILE] [--DIRECTIVE VALUE ...] [-]
       redstart FILE --sentinel
       redstart check | backup | restore | migrate | cluster ...   (a tool; --help after its name explains it)

FILE               configuration in the syntax of redis.conf
--DIRECTIVE VALUE  any directive of that file; it wins over the file
-                  more configuration from standard input
-v, --version      print the version
-h, --help         print this text

       redstart                                  on port 6379, with default values
       redstart --port 7000 --maxmemory 128mb
       redstart /etc/redis.conf --loglevel verbose
       printf 'port 7000' | redstart -

REDSTART_RUNTIME=bun or =node in the environment chooses what it runs on.
`

export function logStarting(log: Logger, process: ProcessView, hasArguments: boolean): void {
  // As in Redis, a process is no primary yet.
  const { role } = log
  if (role !== 'X') log.role = 'C'
  log.notice('oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo')
  log.notice(`Redis version=${REDIS_VERSION}, bits=64, commit=00000000, modified=0, pid=${process.pid}, just started`)
  log.notice(`Redstart version=${REDSTART_VERSION}, runtime=${process.runtime}`)
  if (hasArguments) log.notice('Configuration loaded')
  else
    log.warning(
      'Warning: no config file specified, using the default config. ' +
        'In order to specify a config file use redstart /path/to/redis.conf',
    )
  log.role = role
}

export function logMode(log: Logger, config: Config, process: ProcessView): void {
  const mode = config.sentinel ? 'sentinel' : config.clusterEnabled ? 'cluster' : 'standalone'
  const port = config.port || config.tlsPort
  const onTerminal = config.logfile === '' && process.stdoutIsTerminal()
  if (config.alwaysShowLogo || onTerminal) log.raw('notice', logo(mode, port, process.pid))
  else log.notice(`Running mode=${mode}, port=${port}.`)
}

export function logReady(log: Logger, config: Config): void {
  if (config.sentinel) return
  if (config.port !== 0) log.notice('Ready to accept connections tcp')
  if (config.unixsocket !== '') log.notice('Ready to accept connections unix')
  if (config.tlsPort !== 0) log.notice('Ready to accept connections tls')
  if (config.maxmemory > 0 && config.maxmemory < 1024 * 1024)
    log.warning(
      'WARNING: You specified a maxmemory value that is less than 1MB ' +
        `(current value is ${config.print('maxmemory')} bytes). Are you sure this is what you really want?`,
    )
}

function logo(mode: string, port: number, pid: number): string {
  return `
       .---.
      ( o   \\__        Redstart ${REDSTART_VERSION} (Redis ${REDIS_VERSION}) 64 bit
     <  \\      \`--.
         \\   \\\\    \\__   Running in ${mode} mode
          \`-.__\\\\___  \`-=====-   Port: ${port}
              | |    \`-=====-     PID: ${pid}
           ---^-^---
 
`
}
