// The command line: `redstart` takes what redis-server takes, or the name of a tool and what that takes.

// biome-ignore-all assist/source/organizeImports: signals come before all other modules
import { endEarlySignals } from './system/early-signals.ts'
import { basename } from 'node:path'
import process from 'node:process'
import { runtimeNetwork } from './net/runtime.ts'
import { launch, type StartServer } from './server/launch.ts'
import { startServer } from './server/server.ts'
import { realSystem } from './system/real.ts'
import type { System } from './system/system.ts'
import { runTool } from './tools/command-line.ts'
import { toolNamed } from './tools/index.ts'

/** --test-commands: REDSTART … for tests in other languages. */
async function withTestCommands(system: System): Promise<{ machine: System; start: StartServer }> {
  const [{ TestCommands }, { ServerTime }] = await Promise.all([
    import('./embed/test-commands.ts'),
    import('./system/server-time.ts'),
  ])
  const time = new ServerTime()
  const commands = new TestCommands()
  const start: StartServer = async (config, machine, log, options) => {
    const modules = [...(options.modules ?? []), { module: commands.module }]
    const server = await startServer(config, machine, log, { ...options, modules, mayRest: true })
    commands.attach(server, time)
    return server
  }
  return { machine: { ...system, clock: time.clock, timers: time.timers }, start }
}

const startWarm: StartServer = async (config, system, log, options) => {
  if (config.sentinel) return (await import('./server/sentinel.ts')).startSentinel(config, system, log, options)
  const server = await startServer(config, system, log, options)
  if (config.jitWarmUp) system.timers.soon(async () => (await import('./server/warm-up.ts')).warmUp(system))
  return server
}

async function run(): Promise<void> {
  const args = process.argv.slice(2)
  // The stand-alone executable by another name, as redis-sentinel is of redis-server.
  if (basename(process.argv0).startsWith('redstart-sentinel')) args.push('--sentinel')
  const system = realSystem(runtimeNetwork(), { ownProcess: true })
  const tool = await toolNamed(args[0])
  const testing = args.indexOf('--test-commands')
  if (tool === undefined && testing >= 0) {
    args.splice(testing, 1)
    const { machine, start } = await withTestCommands(system)
    await launch(args, machine, start)
  } else if (tool === undefined) await launch(args, system, startWarm)
  else {
    endEarlySignals()
    process.exitCode = await runTool(tool, args.slice(1), system)
  }
}

void run()
