// Makes a test of each TypeScript snippet of the guide and the README as it stands there: documentation/*.test.ts, and *.node.mjs for node:test.
//
//   node documentation.mjs      in a folder with embedding.md, README.md and the packages that they name
//
// Always: what a snippet uses and does not make is in CONTEXT under its heading, with what must hold behind it. A heading
// that is not there, and a snippet more or less than it has, is an error.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const SERVER = 'const server = await createServer()'
const REDIS = `${SERVER}\nconst redis = new Redis(ioredisOptions(server))`
const END = 'redis.disconnect()\nawait server.close()'

/** By heading, for each of its snippets: what comes before it, and what after. */
const CONTEXT = {
  'One server per test': [['', 'expect([port > 0, server.isClosed]).toEqual([true, true])']],
  Configuration: [['', '']],
  'Without any client': [
    [
      `${SERVER}\nconst news = setInterval(() => server.call('PUBLISH', 'news', 'hello'), 10)`,
      "clearInterval(news)\nexpect([visits, name]).toEqual([1, 'Ann'])\nexpect(await client.keys('user:*')).toEqual([])",
    ],
  ],
  'ioredis without a port': [[SERVER, `expect(await redis.set('k', 'v')).toBe('OK')\n${END}`]],
  'node-redis, and programs that dial a fixed address': [
    [SERVER, "expect(server.callSync('GET', 'app')).toBe('started')\nawait client.connect()\nawait client.close()"],
  ],
  'Upstash and Vercel KV': [
    [
      `${SERVER}\nconst { Redis } = await import('@upstash/redis')`,
      "expect(await redis.set('k', { a: 1 })).toBe('OK')\nconst url = new Redis({ url: 'http://kv', token: 'dev' })\n" +
        "expect(await url.get('k')).toEqual({ a: 1 })",
    ],
  ],
  'A cluster': [['', '']],
  'BullMQ in memory': [
    [
      `${SERVER}\nconst sent: string[] = []\nconst send = async (job: Job) => void sent.push(job.name)`,
      "await queue.add('welcome', {})\nawait vi.waitFor(() => expect(sent).toEqual(['welcome']))\n" +
        'await worker.close()\nawait queue.close()',
    ],
  ],
  'An hour, or a week, later': [
    [
      `${SERVER}\nconst connection = ioredisOptions(server)\nlet runs = 0\n` +
        "const worker = new Worker('mail', async () => void runs++, { connection })\n" +
        "const queue = new Queue('mail', { connection })\nawait Promise.all([queue.waitUntilReady(), worker.waitUntilReady()])",
      'expect(runs).toBe(1)\nvi.useRealTimers()\nawait worker.close()\nawait queue.close()',
    ],
  ],
  'Fake timers lead': [[REDIS, `expect(await redis.exists('k')).toBe(0)\nvi.useRealTimers()\n${END}`]],
  "A clock of the server's own": [['', 'expect(server.clock.now()).toBe(Date.UTC(2030, 0, 1))']],
  'Begin with data': [
    [
      `${SERVER}\nserver.callSync('SET', 'k', 'v')\nconst folder = mkdtempSync(join(tmpdir(), 'documentation-'))\n` +
        "process.chdir(folder)\nwriteFileSync('dump.rdb', server.rdb())",
      "process.chdir('/')\nrmSync(folder, { recursive: true })\nexpect(server.toJSON()).toEqual({ k: 'v' })",
    ],
  ],
  'Seed once, go back before each test': [
    [
      "const fixtures = { visits: '1' }",
      "for (const one of ['first', 'second']) test(one, () => expect(server.callSync('INCR', 'visits')).toBe(2))",
    ],
  ],
  'A server for each branch': [
    [
      "const fixtures = { n: '1' }\nconst cases = ['a', 'b']",
      "test('the original', () => expect(base.toJSON()).toEqual({ n: '1' }))",
    ],
  ],
  'A server in a thread of its own': [['', END]],
  'Coming from ioredis-mock': [
    [
      "const { Redis } = await import('redstart/ioredis-mock')\nconst jest = { mock: (_name: string, _make: () => unknown) => {} }",
      "expect(await redis.incr('user_next')).toBe(4)\nredis.disconnect()\nawait Redis.closeServers()",
    ],
  ],
  'Coming from redis-memory-server': [
    [
      "const app = { connect: async (host: string, port: number) => expect([host, port > 0]).toEqual(['127.0.0.1', true]) }",
      'await server.stop()',
    ],
  ],
  'Coming from testcontainers': [
    [
      `const folder = mkdtempSync(join(tmpdir(), 'documentation-'))\nprocess.chdir(folder)\n` +
        "writeFileSync('seed.rdb', (await createServer({ data: { k: 'v' } })).rdb())",
      "process.chdir('/')\nrmSync(folder, { recursive: true })\nconst redis = new Redis(process.env.REDIS_URL!)\n" +
        "expect(await redis.get('k')).toBe('v')\nredis.disconnect()",
    ],
  ],
  'Code that retries': [
    [
      REDIS,
      "await expect(redis.get('k')).rejects.toThrow('LOADING')\nexpect(await redis.get('k')).toBeNull()\nserver.faults.clear()\n" +
        END,
    ],
  ],
  'The outage': [[SERVER, "expect(await server.client().ping()).toBe('PONG')"]],
  'What did my code ask': [
    [
      "const cache = { warm: async () => void setTimeout(() => server.call('SET', 'ready', '1'), 20) }",
      "expect(server.history.commands.map(c => c.name).at(-1)).toBe('set')",
    ],
  ],
  'With a test runner': [
    [
      'const visit = async (url: string) => {\n  const client = new Redis(url)\n' +
        "  await client.incr('visits')\n  client.disconnect()\n}",
      '',
    ],
    ['', '', ' expect([redis.port > 0, redisUrl.length > 0]).toEqual([true, true]) '],
  ],
  'In a program or a test': [['', '']],
}

const IMPORTS = {
  vitest: ['afterAll', 'beforeEach', 'expect', 'test', 'vi'],
  redstart: ['createCluster', 'createServer'],
  'redstart/ioredis': ['ioredisOptions'],
  'redstart/node-redis': ['intercept', 'nodeRedisOptions'],
  'redstart/upstash': ['requester', 'restHandler'],
  ioredis: ['Cluster', 'Redis'],
  bullmq: ['Queue', 'Worker', 'type Job'],
  redis: ['createClient'],
  'node:fs': ['mkdtempSync', 'readFileSync', 'rmSync', 'writeFileSync'],
  'node:os': ['tmpdir'],
  'node:path': ['join'],
}

mkdirSync('documentation', { recursive: true })
writeFileSync('documentation/package.json', '{ "type": "module" }\n')
writeFileSync('documentation/app.d.ts', 'export {}\n')
writeFileSync(
  'documentation/app.js',
  "import { createClient } from 'redis'\nconst client = await createClient({ url: 'redis://localhost:6379' }).connect()\n" +
    "await client.set('app', 'started')\nawait client.close()\nexport {}\n",
)
const snippets = [...snippetsOf('README.md'), ...snippetsOf('embedding.md')]
let made = 0
for (const heading of new Set(snippets.map(one => one.heading))) {
  const context = CONTEXT[heading]
  const own = snippets.filter(one => one.heading === heading)
  if (context?.length !== own.length) throw new Error(`${heading}: ${own.length} snippets`)
  for (const [i, { code }] of own.entries()) {
    const name = heading.toLowerCase().replaceAll(/[^a-z]+/g, '-')
    const ending = code.includes("from 'redstart/node-test'") ? 'node.mjs' : 'test.ts'
    writeFileSync(`documentation/${name}${i === 0 ? '' : `-${i}`}.${ending}`, testOf(heading, code, context[i]))
    made++
  }
}
console.log(`${made} snippets`)

function snippetsOf(file) {
  const found = []
  let heading = ''
  let code
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('```')) {
      if (code !== undefined) found.push({ heading, code: code.join('\n') })
      code = code === undefined && line === '```ts' ? [] : undefined
    } else if (code !== undefined) code.push(line)
    else if (line.startsWith('## ')) heading = line.slice(3)
  }
  return found
}

/** `filling`: what a function does whose body is an ellipsis. */
function testOf(heading, code, [before, after, filling = '']) {
  const isImport = line => line.startsWith('import ')
  const lines = code.split('\n')
  const own = lines.filter(isImport)
  const body = lines
    .filter(line => !isImport(line))
    .join('\n')
    .replaceAll('=> …', `=> {${filling}}`)
  const definesTests = /^(?:test|beforeEach)\b/m.test(body)
  const declared = new Set([...body.matchAll(/const (\w+) =/g)].map(([, name]) => name))
  const all = `${before}\n${body}\n${after}`
  const used = Object.entries(IMPORTS).flatMap(([from, names]) => {
    const needed = names.filter(one => {
      const name = one.replace('type ', '')
      const isMade = declared.has(name) || own.some(line => new RegExp(`\\b${name}\\b.*from`).test(line))
      return (
        !isMade &&
        !before.includes(`{ ${name} } =`) &&
        new RegExp(`\\b${name}\\b`).test(`${all}${definesTests ? '' : 'test'}`)
      )
    })
    return needed.length === 0 ? [] : [`import { ${needed.join(', ')} } from '${from}'`]
  })
  const whole = definesTests ? all : `test(${JSON.stringify(heading)}, async () => {\n${all}\n})`
  return `${[...own, ...used].join('\n')}\n\n${whole}\n`
}
