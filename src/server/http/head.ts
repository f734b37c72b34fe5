// The head of a request of HTTP/1.1.
//
//   POST /pipeline HTTP/1.1 ⏎ Content-Length: 12 ⏎ Connection: close ⏎ ⏎

export interface Head {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** By its name in lower case. */
  header(name: string): string | undefined
  /** undefined: not said, as the body comes in chunks. */
  readonly bodyBytes: number | undefined
  /** The client may send further requests. */
  readonly mayStay: boolean
}

const LF = 10
const CR = 13

/** Where the body begins; -1: the head is not whole yet. */
export function headEnd(input: Uint8Array, end: number): number {
  for (let i = input.indexOf(LF); i >= 0 && i + 1 < end; i = input.indexOf(LF, i + 1)) {
    if (input[i + 1] === LF) return i + 2
    if (input[i + 1] === CR && i + 2 < end && input[i + 2] === LF) return i + 3
  }
  return -1
}

/** undefined: it is not HTTP/1. */
export function headOf(bytes: Uint8Array): Head | undefined {
  const lines = new TextDecoder('latin1').decode(bytes).split('\n')
  const [method, target, version = '', ...more] = lines[0].trimEnd().split(' ')
  if (!version.startsWith('HTTP/1.') || more.length > 0) return undefined
  const headers = new Map<string, string>()
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  const length = headers.get('content-length') ?? '0'
  const bodyBytes = headers.has('transfer-encoding') ? undefined : Number(length)
  if (bodyBytes !== undefined && !(Number.isSafeInteger(bodyBytes) && bodyBytes >= 0)) return undefined
  const connection = headers.get('connection')?.toLowerCase()
  return {
    method,
    target,
    header: name => headers.get(name.toLowerCase()),
    bodyBytes,
    mayStay: version === 'HTTP/1.1' ? connection !== 'close' : connection === 'keep-alive',
  }
}
