// Tls: the contexts of the server's TLS connections, made of the files that the tls-* directives name.
//
//   files, directives ─[reload]─▶ TlsContext ─▶ connections accepted from now on (net)
//       ▲ CONFIG SET, or a     └─▶ TlsContext ─▶ connections to other servers from now on [dialler]: the same, unless
//         file has changed [cron]                tls-client-cert-file names another certificate
//
// Always: what cannot be used leaves the contexts as they were, and is logged. Open connections are not touched. What a
// directive sends over TLS is never sent without.

import type { Config } from '../config/config.ts'
import type { InfoSource } from '../engine/monitoring/info.ts'
import { reasonOf } from '../lib/reason.ts'
import {
  type Address,
  type ListenTls,
  type Network,
  NetworkError,
  type Outgoing,
  type TlsContext,
  type TlsProtocol,
  type TlsSettings,
} from '../system/network.ts'
import type { System } from '../system/system.ts'
import type { Logger } from './log.ts'

const PROTOCOLS: readonly TlsProtocol[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']
const WATCH_MS = 1000
const REFUSAL = 'Unable to update TLS configuration. Check server logs.'

type Dialler = Pick<Network, 'dial'>

/** Of the server's end, and of connections to other servers. */
interface Contexts {
  readonly server: TlsContext
  readonly peers: TlsContext
}

export class Tls {
  private readonly config: Config
  private readonly system: System
  private readonly log: Logger
  private contexts: Contexts | undefined
  /** Modification times of the files that were read. */
  private seen = ''
  private checkedMs = 0

  constructor(config: Config, system: System, log: Logger) {
    this.config = config
    this.system = system
    this.log = log
    config.onChange(DIRECTIVES, async () => (!this.isUsed || (await this.reload()) ? undefined : REFUSAL))
  }

  /** Seconds until the certificates in use expire; below 0: since they have. */
  readonly info: InfoSource = {
    section: 'server',
    fields: {
      tls_server_cert_expires_in_seconds: () => this.secondsLeft('server'),
      tls_client_cert_expires_in_seconds: () => this.secondsLeft('peers'),
    },
  }

  private secondsLeft(which: keyof Contexts): number | undefined {
    const { isUsed, contexts, system } = this
    if (contexts === undefined || !isUsed || (which === 'peers' && contexts.peers === contexts.server)) return undefined
    return Math.floor((contexts[which].expiresMs - system.clock.nowMs()) / 1000)
  }

  private get isUsed(): boolean {
    const { tlsPort, tlsReplication, tlsCluster } = this.config
    return tlsPort !== 0 || tlsReplication || tlsCluster
  }

  /** False when a directive needs TLS and it cannot be configured, which is logged. */
  async begin(): Promise<boolean> {
    return !this.isUsed || this.contexts !== undefined || this.reload()
  }

  /** For a listener, after begin(). */
  listenOptions(clients: () => ListenTls['clients'] = () => this.config.tlsAuthClients): ListenTls {
    const context = () => this.contexts!.server
    return {
      get context() {
        return context()
      },
      get clients() {
        return clients()
      },
    }
  }

  /**
   * Dials over TLS while the directive says so, from bind-source-addr. A peer needs a certificate of an authority, for
   * whatever name.
   */
  dialler(directive: 'tlsReplication' | 'tlsCluster'): Dialler {
    const { timers } = this.system
    return {
      dial: (address, timeoutMs, done) => {
        if (!this.config[directive]) this.dialFrom(address, timeoutMs, done)
        else if (this.contexts === undefined) timers.soon(() => done(new NetworkError('EIO', 'TLS is not configured')))
        else {
          const { peers: context } = this.contexts
          this.dialFrom({ ...address, tls: { context, verify: 'chain' } }, timeoutMs, done)
        }
      },
    }
  }

  /** As in Redis, an address that cannot be used is left to the system: the connection is tried again without it. */
  private dialFrom(address: Address, timeoutMs: number, done: (result: Outgoing | NetworkError) => void): void {
    const { network } = this.system
    const { bindSourceAddr: source } = this.config
    if (source === '') return network.dial(address, timeoutMs, done)
    network.dial({ ...address, source }, timeoutMs, result => {
      if (result instanceof NetworkError && result.code !== 'ETIMEDOUT') network.dial(address, timeoutMs, done)
      else done(result)
    })
  }

  /** Looks once a second whether a file has changed. */
  cron(): void {
    if (this.contexts === undefined || !this.isUsed) return
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
    const result = await this.loaded()
    if (typeof result === 'string') this.log.warning(result)
    else this.contexts = result
    return typeof result !== 'string'
  }

  /** A text is the reason why they cannot be used. */
  private async loaded(): Promise<Contexts | string> {
    const missing = this.missing()
    if (missing !== undefined) return missing
    const { tlsCertFile, tlsKeyFile, tlsKeyFilePass, tlsClientCertFile, tlsClientKeyFile } = this.config
    try {
      const server = await this.secured(tlsCertFile, tlsKeyFile, tlsKeyFilePass)
      if (tlsClientCertFile === '' || tlsClientKeyFile === '') return { server, peers: server }
      const peers = await this.secured(tlsClientCertFile, tlsClientKeyFile, this.config.tlsClientKeyFilePass)
      return { server, peers }
    } catch (error) {
      return `Failed to load certificate: ${reasonOf(error)}`
    }
  }

  private missing(): string | undefined {
    const { config } = this
    if (config.tlsCertFile === '') return 'No tls-cert-file configured!'
    if (config.tlsKeyFile === '') return 'No tls-key-file configured!'
    const needsAuthority = config.tlsAuthClients !== 'no' || config.tlsCluster || config.tlsReplication
    if (needsAuthority && config.tlsCaCertFile === '' && config.tlsCaCertDir === '')
      return 'Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, tls-replication or tls-auth-clients are enabled!'
    const wrong = wordsOf(config.tlsProtocols).find(word => !PROTOCOLS.some(one => one.toLowerCase() === word))
    if (wrong !== undefined)
      return 'Invalid tls-protocols specified. Use a combination of TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3.'
    return undefined
  }

  /** Rejects with an Error whose message is the reason. */
  private secured(cert: string, key: string, passphrase: string): Promise<TlsContext> {
    const settings = this.settings(cert, key, passphrase)
    return new Promise((resolve, reject) =>
      this.system.network.secure(settings, result => {
        if (result instanceof NetworkError) reject(result)
        else resolve(result)
      }),
    )
  }

  private settings(cert: string, key: string, passphrase: string): TlsSettings {
    const { config } = this
    const wanted = new Set(wordsOf(config.tlsProtocols))
    return {
      cert: this.read(cert),
      key: this.read(key),
      passphrase,
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
    const { tlsCertFile, tlsKeyFile, tlsClientCertFile, tlsClientKeyFile, tlsDhParamsFile } = this.config
    try {
      const own = [tlsCertFile, tlsKeyFile, tlsClientCertFile, tlsClientKeyFile, tlsDhParamsFile]
      return [...own, ...this.authorities()]
        .filter(path => path !== '')
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

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '')
}

const DIRECTIVES = [
  'tls-cluster',
  'tls-replication',
  'tls-client-cert-file',
  'tls-client-key-file',
  'tls-client-key-file-pass',
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
