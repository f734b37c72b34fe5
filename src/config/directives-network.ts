// Directives about listening sockets and connections.

import { choice, integer, memory, octal, path, text, UINT_MAX, wordList, yesNo } from './kinds.ts'
import { outputLimits } from './special.ts'

const MB = 1024 * 1024

export const networkDirectives = {
  bind: wordList(['*', '-::*'], 16, 'Too many bind addresses specified.'),
  'bind-source-addr': text('', { emptyIsUnset: true }),
  port: integer(6379, { max: 65535 }),
  'tcp-backlog': integer(511, { immutable: true }),
  'tcp-keepalive': integer(300),
  timeout: integer(0),
  'protected-mode': yesNo(true),
  unixsocket: path('', { immutable: true, emptyIsUnset: true }),
  unixsocketperm: octal(0, { immutable: true, max: 0o777 }),
  'socket-mark-id': integer(0, { immutable: true, max: UINT_MAX }),
  maxclients: integer(10000, { min: 1, max: UINT_MAX }),
  'client-query-buffer-limit': memory(1024 * MB, { min: MB }),
  'client-output-buffer-limit': outputLimits({
    normal: { hard: 0n, soft: 0n, softSeconds: 0 },
    replica: { hard: BigInt(256 * MB), soft: BigInt(64 * MB), softSeconds: 60 },
    pubsub: { hard: BigInt(32 * MB), soft: BigInt(8 * MB), softSeconds: 60 },
  }),
  'proto-max-bulk-len': memory(512 * MB, { min: MB, signed: true }),
  'io-threads': integer(1, { immutable: true, min: 1, max: 128 }),
  'io-threads-do-reads': yesNo(false, { immutable: true }),
}

export const tlsDirectives = {
  'tls-port': integer(0, { max: 65535 }),
  'tls-cluster': yesNo(false),
  'tls-replication': yesNo(false),
  'tls-auth-clients': choice(['no', 'yes', 'optional'], 'yes'),
  'tls-auth-clients-user': choice(['off', 'CN'], 'off', { hidden: true }, new Map([['cn', 'CN']])),
  'tls-prefer-server-ciphers': yesNo(false),
  'tls-session-caching': yesNo(true),
  'tls-session-cache-size': integer(20 * 1024),
  'tls-session-cache-timeout': integer(300),
  'tls-cert-file': path('', { volatile: true, emptyIsUnset: true }),
  'tls-key-file': path('', { volatile: true, emptyIsUnset: true }),
  'tls-key-file-pass': text('', { emptyIsUnset: true }),
  'tls-client-cert-file': path('', { volatile: true, emptyIsUnset: true }),
  'tls-client-key-file': path('', { volatile: true, emptyIsUnset: true }),
  'tls-client-key-file-pass': text('', { emptyIsUnset: true }),
  'tls-dh-params-file': path('', { volatile: true, emptyIsUnset: true }),
  'tls-ca-cert-file': path('', { volatile: true, emptyIsUnset: true }),
  'tls-ca-cert-dir': path('', { volatile: true, emptyIsUnset: true }),
  'tls-protocols': text('', { emptyIsUnset: true }),
  'tls-ciphers': text('', { emptyIsUnset: true }),
  'tls-ciphersuites': text('', { emptyIsUnset: true }),
}
