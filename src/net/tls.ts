// TLS contexts of both runtimes, through node:tls, which Bun has as well.
//
//   TlsSettings ─[secure]─▶ SecureContext, checked ─▶ accepted connections (bun.ts, node.ts), dialled ones
//
// Always: a context that was made can be used: certificate and key fit each other, ciphers exist. Versions of the
// protocol are excluded through options of OpenSSL, which both runtimes take.

import { constants, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { type Network, NetworkError, type TlsContext, type TlsProtocol, type TlsSettings } from '../system/network.ts'

/** A client that does not finish its handshake by then is disconnected. */
export const HANDSHAKE_SECONDS = 10

const EXCLUDED: { readonly [protocol in TlsProtocol]: number } = {
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
}

export class RuntimeTls implements TlsContext {
  readonly options: SecureContextOptions
  readonly native: SecureContext
  readonly expiresMs: number

  constructor(settings: TlsSettings) {
    this.options = optionsOf(settings)
    this.native = createSecureContext(this.options)
    this.expiresMs = Date.parse(new X509Certificate(settings.cert).validTo)
  }
}

export const secure: Network['secure'] = (settings, done) => {
  let result: RuntimeTls | NetworkError
  try {
    result = new RuntimeTls(settings)
  } catch (error) {
    const { code = 'EIO', message } = error as { code?: string; message: string }
    result = new NetworkError(code, message)
  }
  queueMicrotask(() => done(result))
}

function optionsOf(settings: TlsSettings): SecureContextOptions {
  const { cert, key, passphrase, ca, protocols, sessionSeconds, dhParams } = settings
  let secureOptions = constants.SSL_OP_NO_SSLv2 | constants.SSL_OP_NO_SSLv3
  for (const [protocol, bit] of Object.entries(EXCLUDED))
    if (!protocols.includes(protocol as TlsProtocol)) secureOptions |= bit
  if (settings.preferServerCiphers) secureOptions |= constants.SSL_OP_CIPHER_SERVER_PREFERENCE
  if (sessionSeconds === 0) secureOptions |= constants.SSL_OP_NO_TICKET
  return {
    cert,
    key,
    secureOptions,
    // Node's servers prefer their own order unless they are told.
    honorCipherOrder: settings.preferServerCiphers,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.3',
    sessionIdContext: 'redstart',
    ...(passphrase === '' ? {} : { passphrase }),
    ...(ca.length === 0 ? {} : { ca: [...ca] }),
    ...(sessionSeconds === 0 ? {} : { sessionTimeout: sessionSeconds }),
    ...ciphersOf(settings),
    // BoringSSL, which Bun uses, has no ciphers with finite-field DH.
    ...(process.versions.bun !== undefined ? {} : { dhparam: dhParams === '' ? 'auto' : dhParams }),
  }
}

/** One list for both: the names of TLS 1.3 begin with TLS_. */
function ciphersOf({ ciphers, ciphersuites }: TlsSettings): { ciphers?: string } {
  if (ciphers === '' && ciphersuites === '') return {}
  const suites = ciphersuites || 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'
  return { ciphers: `${suites}:${ciphers || 'DEFAULT'}` }
}

/** For a connection of this process. */
export function contextOptions(context: TlsContext): { secureContext: SecureContext } {
  return { secureContext: (context as RuntimeTls).native }
}

/** As Bun's sockets take it. */
export function nativeContext(context: TlsContext): unknown {
  return (context as RuntimeTls).native.context
}

/** The common name; undefined: the peer has sent no certificate. */
export function certificateName(certificate: { subject?: { CN?: string | string[] } } | null): string | undefined {
  const { subject } = certificate ?? {}
  if (subject === undefined) return undefined
  return [subject.CN ?? ''].flat()[0]
}
