// fetch() of a server in a program: the REST API behind a Request and a Response, for what takes a fetch handler.

import { RestApi, type RestSource } from '../server/rest/api.ts'

/** Answers a request as Upstash's REST API does. */
export async function restResponse(source: RestSource, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const reply = await new RestApi(source).respond({
    method: request.method,
    target: pathname + search,
    header: name => request.headers.get(name) ?? undefined,
    body: new Uint8Array(await request.arrayBuffer()),
  })
  if ('body' in reply) {
    const body = request.method === 'HEAD' ? null : reply.body
    return new Response(body as never, {
      status: reply.status,
      headers: [['content-type', reply.type], ...(reply.headers ?? [])] as [string, string][],
    })
  }
  const body = new ReadableStream<Uint8Array>({
    start: stream => {
      let isOpen = true
      request.signal.addEventListener('abort', () => reply.close())
      reply.begin(
        bytes => {
          if (isOpen) stream.enqueue(bytes)
        },
        () => {
          if (isOpen) stream.close()
          isOpen = false
        },
      )
    },
    cancel: () => reply.close(),
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } })
}
