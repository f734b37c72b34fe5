// ServerUrl: parses the URL of a server.
//
//   redis://[user[:password]@]host[:port][/db]     rediss://… over TLS     unix:///path[?db=n][&password=…]
//
// Always: percent-encoding is decoded; a password without a user is `:password@`.

import type { Address, TlsOptions } from '../system/network.ts'

const PORT = 6379

export interface ServerUrl {
  address: Address
  user: string
  password: string
  /** -1: not given. */
  database: number
  /** For messages: without the password. */
  text: string
}

/** Undefined when `text` is no such URL. */
export function parseServerUrl(text: string, tls: TlsOptions = { verify: true }): ServerUrl | undefined {
  if (text.startsWith('unix:')) return parseUnix(text)
  const match = /^(rediss?):\/\/(?:([^@/]*)@)?(\[[^\]]+\]|[^:/?#]+)(?::(\d{1,5}))?(?:\/(\d*))?$/.exec(text)
  if (match === null) return undefined
  const [, scheme, login = '', host, port, database = ''] = match
  const [user, password] = parseLogin(login)
  const portNumber = port === undefined ? PORT : Number(port)
  if (user === undefined || portNumber === 0 || portNumber > 65535) return undefined
  const plainHost = host.startsWith('[') ? host.slice(1, -1) : host
  const address: Address = { host: plainHost, port: portNumber }
  if (scheme === 'rediss') address.tls = tls
  const shown = `${scheme}://${host}:${portNumber}${database === '' ? '' : `/${database}`}`
  return { address, user, password, database: database === '' ? -1 : Number(database), text: shown }
}

function parseUnix(text: string): ServerUrl | undefined {
  const match = /^unix:(?:\/\/(?:([^@/]*)@)?)?(\/[^?]+)(?:\?(.*))?$/.exec(text)
  if (match === null) return undefined
  const [, login = '', path, query = ''] = match
  let [user, password] = parseLogin(login)
  let database = -1
  for (const part of query === '' ? [] : query.split('&')) {
    const at = part.indexOf('=')
    const name = part.slice(0, at)
    const value = decoded(part.slice(at + 1))
    if (at < 0 || value === undefined) return undefined
    if (name === 'db' && /^\d+$/.test(value)) database = Number(value)
    else if (name === 'user') user = value
    else if (name === 'password') password = value
    else return undefined
  }
  const file = decoded(path)
  if (file === undefined || user === undefined) return undefined
  const shown = `unix://${path}${database < 0 ? '' : `?db=${database}`}`
  return { address: { host: '', port: 0, path: file }, user, password: password ?? '', database, text: shown }
}

function parseLogin(login: string): [user: string, password: string] | [undefined, ''] {
  const colon = login.indexOf(':')
  const user = decoded(colon < 0 ? login : login.slice(0, colon))
  const password = colon < 0 ? '' : decoded(login.slice(colon + 1))
  return user === undefined || password === undefined ? [undefined, ''] : [user, password]
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
