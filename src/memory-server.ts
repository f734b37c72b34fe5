// In the place of redis-memory-server: the same class, options, environment variables and section of package.json, with
// a server in this process instead of a binary that is downloaded and compiled.
//
//   "redis-memory-server": "npm:…" or an alias of the test runner  ─▶  redstart/memory-server
//
// Options that choose, download or compile a binary are taken, and have no effect.

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createServer, type EmbeddedServer, type RedisConfig } from './index.ts'

export interface RedisMemoryServerOptions {
  instance?: {
    /** Default: REDISMS_PORT, or a free one. */
    port?: number | null
    /** Default: 127.0.0.1; '::,0.0.0.0' for all addresses. */
    ip?: string
    /** Directives as on redis-server's command line: ['--requirepass', 'secret']. */
    args?: string[]
  }
  /** No effect: there is no binary. */
  binary?: { version?: string; downloadDir?: string; systemBinary?: string; ignoreDownloadCache?: boolean }
  /** No effect: there is no process. */
  spawn?: object
  autoStart?: boolean
}

export interface RedisInstanceData {
  port: number
  ip: string
  instance: { readonly server: EmbeddedServer; getPid(): number; kill(): Promise<unknown> }
  childProcess?: undefined
}

/** A server, started by the first question for its address. */
export class RedisMemoryServer {
  runningInstance: Promise<RedisInstanceData> | null = null
  instanceInfoSync: RedisInstanceData | null = null
  opts: RedisMemoryServerOptions
  private previousPort: number | undefined

  constructor(options: RedisMemoryServerOptions = {}) {
    this.opts = { ...options }
    if (options.autoStart === true) void this.start()
  }

  static async create(options: RedisMemoryServerOptions = {}): Promise<RedisMemoryServer> {
    const made = new RedisMemoryServer({ ...options, autoStart: false })
    if (options.autoStart === true) await made.start()
    return made
  }

  async start(): Promise<boolean> {
    if (this.runningInstance !== null)
      throw new Error('Redis instance already in status startup/running/error. Use debug for more info.')
    this.runningInstance = this.started()
    this.instanceInfoSync = await this.runningInstance
    return true
  }

  async stop(): Promise<boolean> {
    if (this.runningInstance === null) return true
    const { instance, port } = await this.runningInstance
    this.runningInstance = null
    this.instanceInfoSync = null
    this.previousPort = port
    await instance.kill()
    return true
  }

  getInstanceInfo(): RedisInstanceData | false {
    return this.instanceInfoSync ?? false
  }

  async ensureInstance(): Promise<RedisInstanceData> {
    if (this.runningInstance === null) await this.start()
    return this.runningInstance as Promise<RedisInstanceData>
  }

  getHost(): Promise<string> {
    return this.getIp()
  }

  async getIp(): Promise<string> {
    return (await this.ensureInstance()).ip
  }

  async getPort(): Promise<number> {
    return (await this.ensureInstance()).port
  }

  private async started(): Promise<RedisInstanceData> {
    const { port, ip = '127.0.0.1', args = [] } = this.opts.instance ?? {}
    const wanted = this.previousPort ?? port ?? Number(resolveConfig('PORT') ?? 0)
    const server = await createServer({ config: configOf(args) })
    const hosts = ip.split(',')
    try {
      const opened = await listening(server, wanted, hosts[0])
      for (const host of hosts.slice(1)) await server.listen(opened, host)
      const kill = () => server.close()
      return { port: opened, ip, instance: { server, getPid: () => process.pid, kill } }
    } catch (error) {
      await server.close()
      throw error
    }
  }
}

export { RedisMemoryServer as default }

/** A port that is taken is replaced by a free one, as there. */
async function listening(server: EmbeddedServer, port: number, host: string): Promise<number> {
  try {
    return await server.listen(port, host)
  } catch (error) {
    if (port === 0) throw error
    return server.listen(0, host)
  }
}

/** ['--save', '900', '1', '--requirepass', 'x'] as the directives of createServer; 'port' and 'bind' are set apart. */
function configOf(args: readonly string[]): RedisConfig {
  const directives = new Map<string, string[]>()
  let values: string[] | undefined
  for (const arg of args.map(String)) {
    const name = arg.startsWith('--') ? arg.slice(2) : undefined
    if (name === undefined && values === undefined) throw new Error(`instance.args: a directive is --name, not ${arg}`)
    if (name === undefined) values!.push(arg)
    else directives.set(name, (values = directives.get(name) ?? []))
  }
  for (const name of ['port', 'bind', 'daemonize', 'loglevel', 'logfile']) directives.delete(name)
  return Object.fromEntries([...directives].map(([name, words]) => [name, words.length === 1 ? words[0] : words]))
}

/** A setting: an environment variable, or of the nearest package.json with a section 'redisMemoryServer'. */
export function resolveConfig(name: string): string | undefined {
  const value = process.env[`REDISMS_${name}`] ?? sections(process.cwd()).get(camelCase(name))
  return value === undefined || value === null ? undefined : String(value)
}

/** 'IGNORE_DOWNLOAD_CACHE' ─▶ 'ignoreDownloadCache' */
function camelCase(name: string): string {
  const [first, ...more] = name.toLowerCase().split('_')
  return first + more.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

/** The sections of all package.json from this folder up; the nearest has the last word. */
function sections(from: string): Map<string, unknown> {
  const found: [string, unknown][][] = []
  for (let folder = resolve(from), last = ''; folder !== last; folder = dirname(folder)) {
    last = folder === dirname(folder) ? folder : ''
    found.unshift(sectionOf(join(folder, 'package.json')))
  }
  return new Map(found.flat())
}

function sectionOf(path: string): [string, unknown][] {
  try {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as { redisMemoryServer?: object }
    return Object.entries(manifest.redisMemoryServer ?? {})
  } catch {
    return []
  }
}
