// Tls: the context of the server's TLS connections, made of the files that the tls-* directives name.
//
//   files, directives ─[reload]─▶ TlsContext ─▶ connections accepted from now on (net)
//       ▲ CONFIG SET, or a file has changed [cron]
//
// Always: what cannot be used leaves the context as it was, and is logged. Open connections are not touched.

import type { Config } from '../config/config.ts'
import { type ListenTls, NetworkError, type TlsContext, type TlsProtocol } from '../system/network.ts'
import { reasonOf, type System } from '../system/system.ts'
import type { Logger } from './log.ts'

const PROTOCOLS: readonly TlsProtocol[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']
const WATCH_MS = 1000
const REFUSAL = 'Unable to update TLS configuration. Check server logs.'

export class Tls {
  private readonly config: Config
  private readonly system: System
  private readonly log: Logger
  private context: TlsContext | undefined
  /** Modification times of the files that were read. */
  private seen = ''
  private checkedMs = 0

  constructor(config: Config, system: System, log: Logger) {
    this.config = config
    this.system = system
    this.log = log
    config.onChange(DIRECTIVES, async () => (config.tlsPort === 0 || (await this.reload()) ? undefined : REFUSAL))
  }

  /** When the certificate in use expires; undefined: there is none. */
  get expiresMs(): number | undefined {
    return this.context?.expiresMs
  }

  /** For a listener; undefined when it cannot be configured, which is logged. */
  async listenOptions(): Promise<ListenTls | undefined> {
    if (this.context === undefined && !(await this.reload())) return undefined
    const context = () => this.context!
    const { config } = this
    return {
      get context() {
        return context()
      },
      get clients() {
        return config.tlsAuthClients
      },
    }
  }

  /** Looks once a second whether a file has changed. */
  cron(): void {
    if (this.context === undefined || this.config.tlsPort === 0) return
    const nowMs = this.system.clock.nowMs()
    if (Math.abs(nowMs - this.checkedMs) < WATCH_MS) return
    this.checkedMs = nowMs
    if (this.fingerprint() === this.seen) return
    void this.reload().then(done => {
      if (done) this.log.notice('TLS certificates were changed on disk and are in use from now on.')
    })
  }

  private async reload(): Promise<boolean> {
    this.seen = this.fingerprint()
    let result: TlsContext | NetworkError | string
    try {
      const settings = this.settings()
      result =
        typeof settings === 'string' ? settings : await new Promise(done => this.system.network.secure(settings, done))
    } catch (error) {
      result = `Failed to load certificate: ${reasonOf(error)}`
    }
    if (typeof result !== 'string' && !(result instanceof NetworkError)) {
      this.context = result
      return true
    }
    this.log.warning(typeof result === 'string' ? result : `Failed to load certificate: ${result.message}`)
    return false
  }

  /** A text is the reason why they cannot be used. */
  private settings() {
    const { config } = this
    if (config.tlsCertFile === '') return 'No tls-cert-file configured!'
    if (config.tlsKeyFile === '') return 'No tls-key-file configured!'
    if (config.tlsAuthClients !== 'no' && config.tlsCaCertFile === '' && config.tlsCaCertDir === '')
      return 'Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, tls-replication or tls-auth-clients are enabled!'
    const protocols = config.tlsProtocols.split(/\s+/).filter(word => word !== '')
    const wrong = protocols.find(word => !PROTOCOLS.some(one => one.toLowerCase() === word.toLowerCase()))
    if (wrong !== undefined)
      return 'Invalid tls-protocols specified. Use a combination of TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3.'
    const wanted = new Set(protocols.map(word => word.toLowerCase()))
    return {
      cert: this.read(config.tlsCertFile),
      key: this.read(config.tlsKeyFile),
      passphrase: config.tlsKeyFilePass,
      ca: this.authorities()
        .map(path => this.read(path))
        .filter(text => text.includes('-----BEGIN')),
      protocols: wanted.size === 0 ? PROTOCOLS.slice(2) : PROTOCOLS.filter(one => wanted.has(one.toLowerCase())),
      ciphers: config.tlsCiphers,
      ciphersuites: config.tlsCiphersuites,
      preferServerCiphers: config.tlsPreferServerCiphers,
      sessionSeconds: config.tlsSessionCaching ? config.tlsSessionCacheTimeout : 0,
      dhParams: config.tlsDhParamsFile === '' ? '' : this.read(config.tlsDhParamsFile),
    }
  }

  private authorities(): string[] {
    const { tlsCaCertFile, tlsCaCertDir } = this.config
    const files = tlsCaCertFile === '' ? [] : [tlsCaCertFile]
    if (tlsCaCertDir === '') return files
    const { disk } = this.system
    const inDir = disk.readdir(tlsCaCertDir).map(name => `${tlsCaCertDir}/${name}`)
    return [...files, ...inDir.filter(path => disk.stat(path)?.isFile === true)]
  }

  private read(path: string): string {
    return new TextDecoder().decode(this.system.disk.readFile(path))
  }

  private fingerprint(): string {
    const { tlsCertFile, tlsKeyFile, tlsDhParamsFile } = this.config
    try {
      const paths = [tlsCertFile, tlsKeyFile, tlsDhParamsFile, ...this.authorities()].filter(path => path !== '')
      return paths
        .map(path => {
          const stat = this.system.disk.stat(path)
          return stat === null ? path : `${path} ${stat.modifiedMs} ${stat.sizeBytes}`
        })
        .join('\n')
    } catch {
      return ''
    }
  }
}

const DIRECTIVES = [
  'tls-prefer-server-ciphers',
  'tls-session-caching',
  'tls-session-cache-timeout',
  'tls-cert-file',
  'tls-key-file',
  'tls-key-file-pass',
  'tls-dh-params-file',
  'tls-ca-cert-file',
  'tls-ca-cert-dir',
  'tls-protocols',
  'tls-ciphers',
  'tls-ciphersuites',
] as const
