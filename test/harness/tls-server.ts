// A server in this process that serves TLS alone, on a free port, with certificates of a test.

import { copyFileSync } from 'node:fs'
import { Config } from '../../src/config/config.ts'
import { loadText } from '../../src/config/parser.ts'
import { runtimeNetwork } from '../../src/net/runtime.ts'
import { Logger } from '../../src/server/log.ts'
import { Server } from '../../src/server/server.ts'
import { realSystem } from '../../src/system/real.ts'
import type { Certificates } from './certificates.ts'
import { freePort } from './target.ts'

/** The server's files become those of NAME. */
export function useCertificate(files: Certificates, name: string): void {
  for (const end of ['crt', 'key']) copyFileSync(files.path(`${name}.${end}`), files.path(`server.${end}`))
}

/** `files` has the authority `ca` and the certificate `first`; `more`: lines of configuration. */
export async function startTls(
  files: Certificates,
  more = '',
): Promise<{ server: Server; config: Config; port: number }> {
  const system = realSystem(runtimeNetwork())
  const config = new Config(system.disk)
  const port = await freePort()
  useCertificate(files, 'first')
  loadText(
    config,
    `port 0\nbind 127.0.0.1\nlogfile ${files.path('log')}\ntls-port ${port}\n` +
      `tls-cert-file ${files.path('server.crt')}\ntls-key-file ${files.path('server.key')}\n` +
      `tls-ca-cert-file ${files.path('ca.crt')}\n${more}`,
  )
  const server = new Server(config, system, new Logger(system, config))
  await server.listen()
  return { server, config, port }
}
