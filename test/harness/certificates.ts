// Certificates for tests, which openssl makes in a folder of its own.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']

export class Certificates {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'redstart-tls-'))

  constructor() {
    process.on('exit', () => rmSync(this.folder, { recursive: true, force: true }))
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** NAME.crt and NAME.key, which sign themselves. */
  authority(name: string): void {
    this.openssl(
      'req',
      '-x509',
      ...KEY,
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
      '-subj',
      `/CN=${name}`,
    )
  }

  /** NAME.crt and NAME.key of an authority. `days` below 0: it has expired. */
  signed(name: string, { authority = 'ca', days = 2, passphrase = '' } = {}): void {
    const lock = passphrase === '' ? ['-nodes'] : ['-passout', `pass:${passphrase}`]
    this.openssl('req', ...KEY, ...lock, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const ca = ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial']
    this.openssl('x509', '-req', '-in', `${name}.csr`, ...ca, '-days', String(days), '-out', `${name}.crt`)
  }

  private openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'ignore' })
  }
}
