// For @upstash/redis: clients of a server in this process, and Upstash's REST API as a handler of requests.
//
//   import { Redis } from '@upstash/redis'
//   import { requester, restHandler } from 'redstart/upstash'
//   const redis = new Redis(requester(server))
//   Bun.serve({ fetch: restHandler(server, { token: 'dev' }) })

/** What answers requests: a server. */
export interface Answering {
  readonly fetch: (request: Request, options?: RestOptions) => Promise<Response>
}

export interface RestOptions {
  /** Requests must name it: 'Authorization: Bearer …', or _token in the query. Absent: none is wanted. */
  token?: string
}

interface UpstashRequest {
  path?: string[]
  body?: unknown
  headers?: object
  onMessage?: (data: string) => void
  isStreaming?: boolean
  signal?: AbortSignal
}

/** A Requester of @upstash/redis. */
export interface UpstashRequester {
  request: <TResult = unknown>(request: UpstashRequest) => Promise<{ result?: TResult; error?: string }>
}

/** Takes what fetch() takes. */
export type RestHandler = (input: Request | URL | string, init?: RequestInit) => Promise<Response>

/** A handler of requests: of Bun.serve, Deno.serve, Hono, a service worker, or in the place of the global fetch. */
export function restHandler(server: Answering, options: RestOptions = {}): RestHandler {
  return (input, init) => {
    const isRequest = typeof input === 'object' && 'headers' in input
    // Servers hand over something else than what a request is made with.
    return server.fetch(isRequest ? input : new Request(String(input), init), options)
  }
}

/** To make a client with: new Redis(requester(server)). */
export function requester(server: Answering): UpstashRequester {
  return { request: request => requested(server, request) as never }
}

async function requested(server: Answering, request: UpstashRequest): Promise<unknown> {
  const path = (request.path ?? []).map(encodeURIComponent).join('/')
  const response = await server.fetch(
    new Request(`http://localhost/${path}`, {
      method: 'POST',
      body: request.body === undefined ? undefined : JSON.stringify(request.body),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    }),
  )
  if (request.isStreaming !== true || request.onMessage === undefined) {
    const reply = (await response.json()) as { error?: string }
    if (reply.error !== undefined)
      throw new UpstashError(`${reply.error}, command was: ${JSON.stringify(request.body)}`)
    return reply
  }
  void streamed(response, request.onMessage)
  return { result: 1 }
}

/** Named as the client's own, by which programs know it. */
class UpstashError extends Error {
  override readonly name = 'UpstashError'
}

/** Hands on the data of each event. */
async function streamed(response: Response, onMessage: (data: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(piece, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      onMessage(text.slice('data: '.length, end))
      text = text.slice(end + 2)
    }
  }
}
