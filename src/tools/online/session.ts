// Shared by the online tools: server URLs, and how the operator ends a tool early.

import { parseServerUrl, type ServerUrl } from '../../client/url.ts'
import type { TlsOptions } from '../../system/network.ts'
import { EXIT_INTERRUPTED, type Flag, type Machine, ToolError, type Words } from '../command-line.ts'

export const TLS_FLAGS: readonly Flag[] = [
  { name: '--cacert', value: 'FILE', about: 'for rediss: believe the authorities in this PEM file' },
  { name: '--cert', value: 'FILE', about: 'for rediss: our certificate, in a PEM file; with --key' },
  { name: '--key', value: 'FILE', about: 'for rediss: the key of our certificate' },
  { name: '--insecure', about: 'for rediss: take any certificate' },
]

export const URLS = `A URL is redis://[user[:password]@]host[:port][/db], rediss:// for TLS, or unix:///path[?db=n&password=...].
A password without a user is redis://:password@host.`

/** The server of a URL argument. Throws ToolError. */
export function serverOf(text: string, words: Words, machine: Machine): ServerUrl {
  const read = (flag: string) => {
    const file = words.text(flag)
    return file === undefined ? undefined : machine.disk.readFile(file)
  }
  const [cert, key] = [read('--cert'), read('--key')]
  if ((cert === undefined) !== (key === undefined)) throw new ToolError('--cert and --key belong together')
  const tls: TlsOptions = {
    verify: !words.has('--insecure'),
    ca: read('--cacert'),
    own: cert === undefined || key === undefined ? undefined : { cert, key },
  }
  const url = parseServerUrl(text, tls)
  if (url === undefined)
    throw new ToolError(`'${text.replace(/:[^:@/]*@/, ':...@')}' is no URL of a server: redis://host:port`)
  return url
}

/** Refuses a URL with a database where a whole server is meant. */
export function wholeServer(url: ServerUrl): ServerUrl {
  if (url.database >= 0) throw new ToolError(`${url.text}: all databases are copied, so the URL may name none`)
  return url
}

/** SIGINT and SIGTERM as a promise and a flag. */
export class Stop {
  asked = false
  readonly promise: Promise<never>
  private reject!: (error: Error) => void

  /** Without a machine it is never triggered. */
  constructor(machine: Machine | undefined, message: string) {
    this.promise = new Promise((_, reject) => {
      this.reject = reject
    })
    this.promise.catch(() => {})
    if (machine === undefined) return
    const stop = () => {
      this.asked = true
      this.reject(new ToolError(message, EXIT_INTERRUPTED))
    }
    machine.process.onSignal('SIGINT', stop)
    machine.process.onSignal('SIGTERM', stop)
  }

  /** The result of `work`, unless the operator ends the tool first. */
  or<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.promise])
  }
}

export function pause(machine: Machine, ms: number): Promise<void> {
  return new Promise(resolve => void machine.timers.after(ms, resolve))
}

/** Yields to the event loop for input and signals. */
export function turn(machine: Machine): Promise<void> {
  return new Promise(resolve => machine.timers.soon(resolve))
}
