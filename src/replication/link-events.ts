// LinkEvents: tells of replicas that came online or went, and of the link to the primary, at the tick behind that.

import type { Engine } from '../engine/engine.ts'
import type { Following } from './following.ts'

export class LinkEvents {
  private readonly engine: Engine
  private readonly following: Following
  private isUp = false
  private readonly online = new Map<number, string>()

  constructor(engine: Engine, following: Following) {
    this.engine = engine
    this.following = following
  }

  /** Every tick. */
  readonly cron = () => {
    const { happenings } = this.engine.observers
    const { online, isUp } = this
    if (!happenings.isHeard) return
    this.isUp = this.following.state === 'connected'
    if (isUp !== this.isUp) happenings.tell({ name: 'primary-link', state: isUp ? 'down' : 'up' })
    const now = this.engine.replicas.list().filter(one => one.state === 'online')
    for (const { client, address } of now) {
      if (online.has(client.id)) continue
      online.set(client.id, address)
      happenings.tell({ name: 'replica', id: client.id, address, state: 'online' })
    }
    for (const [id, address] of online) {
      if (now.some(one => one.client.id === id)) continue
      online.delete(id)
      happenings.tell({ name: 'replica', id, address, state: 'gone' })
    }
  }
}
