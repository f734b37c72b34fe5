// The port of `metrics-port`: metrics for Prometheus and the health of the server.
//
//   /metrics   all metrics (scrape.ts)
//   /healthz   200: the process answers. What keeps it from its work is no reason to end it, so nothing else is asked
//   /readyz    200: it serves its dataset; 503 with the reason: it loads, its primary is not in sync, it started empty
//              (primary-empty-guard), its disk fails
//
// Always: it is open before the dataset is loaded. Without the directive nothing of it exists.

import type { Engine } from '../../engine/engine.ts'
import { HttpEndpoint, type HttpReply } from '../http/endpoint.ts'
import { HttpPort, type HttpPortParts } from '../http/port.ts'
import { Pauses } from './pauses.ts'
import { scrape } from './scrape.ts'

const CONNECTIONS_MAX = 32
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'
const INDEX = '/metrics\n/healthz\n/readyz\n'

interface MetricsParts extends HttpPortParts {
  engine: Engine
  /** The fields of these sections of INFO, of all when none are named. */
  fields(sections?: readonly string[]): ReadonlyMap<string, string>
}

export function metricsPort(parts: MetricsParts): HttpPort {
  const metrics = new Metrics(parts)
  const { config } = parts
  return new HttpPort(parts, {
    kind: 'metrics',
    port: () => config.metricsPort,
    bind: () => config.metricsBind,
    make: () => metrics.start(),
  })
}

class Metrics {
  private readonly parts: MetricsParts

  constructor(parts: MetricsParts) {
    this.parts = parts
  }

  start(): { http: HttpEndpoint; close(): void } {
    const { system } = this.parts
    const pauses = new Pauses(system)
    const http = new HttpEndpoint(system, {
      methods: ['GET', 'HEAD'],
      connectionsMax: CONNECTIONS_MAX,
      bodyBytesMax: 0,
      keepAlive: false,
      answer: ({ target }) => this.answer(target.split('?', 1)[0], pauses),
    })
    return { http, close: () => pauses.stop() }
  }

  private answer(path: string, pauses: Pauses): HttpReply | undefined {
    const { engine, system } = this.parts
    if (path === '/metrics') {
      const body = scrape({ engine, fields: this.parts.fields(), pauses, nowMs: system.clock.nowMs() })
      return { status: 200, type: PROMETHEUS, body }
    }
    if (path === '/') return { status: 200, body: INDEX }
    if (path === '/healthz') return { status: 200, body: 'ok\n' }
    if (path !== '/readyz') return undefined
    const why = this.unready()
    return why === undefined ? { status: 200, body: 'ok\n' } : { status: 503, body: `${why}\n` }
  }

  /** Why the server is not ready to serve. */
  private unready(): string | undefined {
    const { config } = this.parts
    const fields = this.parts.fields(['persistence', 'replication'])
    const is = (field: string, value: string) => fields.get(field) === value
    if (is('loading', '1')) return 'loading the dataset'
    if (is('master_link_status', 'down')) return 'not in sync with the primary'
    if (Number(fields.get('primary_empty_guard')) > 0) return 'it started without data, and replicas have some'
    if (is('aof_enabled', '1') && is('aof_last_write_status', 'err')) return 'the append-only file cannot be written'
    const savesCount = config.stopWritesOnBgsaveError && config.save.length > 0
    return savesCount && is('rdb_last_bgsave_status', 'err') ? 'the last snapshot could not be saved' : undefined
  }
}
