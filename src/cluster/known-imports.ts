// KnownImports: atomic imports as this node's replicas and its nodes file know them, by name.
//
//   on the primary                            on its replicas
//   ESTABLISH: the import is open          ─▶ IMPORTING   its keys are nobody's: a promoted replica deletes them
//   PAUSED: all keys are in the stream     ─▶ PREPARED    a promoted replica claims the slots, unless the source did
//   FINISH: the slots are the primary's    ─▶ IMPORTED    forgotten
//   it has ended early, its keys are gone  ─▶ ABORTED     forgotten
//
// Always: the primary claims the slots only when its replicas have acknowledged PREPARED. So whoever takes its place
// has the keys, and claims the slots even when nobody has heard of the primary's claim. A source that does not know
// whether the target has claimed claims anew itself, in an epoch that is later than the one which PREPARED names: no
// replica takes the slots from it.

import { hasBit, slotsIn } from './bitmap.ts'
import { type Cluster, FSYNC, SAVE, UPDATE_STATE } from './cluster.ts'
import { rangeWords } from './slot-migration.ts'

export interface KnownImport {
  readonly slots: Uint8Array
  /** Prepared: the source's id, and its configuration epoch then; '': not prepared. */
  source: string
  epoch: number
}

export class KnownImports {
  readonly byName = new Map<string, KnownImport>()
  private readonly cluster: Cluster
  /** Ids of the replicas that have been told of all imports. */
  private told: number[] = []

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  /** Keys of this slot are not to be taken for our own after a start. */
  hasSlot(slot: number): boolean {
    for (const { slots } of this.byName.values()) if (hasBit(slots, slot)) return true
    return false
  }

  // ---- on a primary ----

  private tell(word: string, name: string, { slots, source, epoch }: KnownImport): void {
    const prepared = source === '' ? [] : [source, String(epoch)]
    this.cluster.host.tellReplicas(['CLUSTER', 'SYNCSLOTS', word, name, ...prepared, ...rangeWords(slots)])
  }

  open(name: string, slots: Uint8Array): void {
    const known = { slots, source: '', epoch: 0 }
    this.byName.set(name, known)
    this.cluster.saveOrDie(true)
    this.tell('IMPORTING', name, known)
  }

  prepared(name: string, source: string, epoch: number): void {
    const known = this.byName.get(name)
    if (known === undefined) return
    known.source = source
    known.epoch = epoch
    this.tell('PREPARED', name, known)
  }

  /** `claimed`: the slots are this node's; else their keys are gone. */
  close(name: string, claimed: boolean): void {
    this.byName.delete(name)
    this.cluster.host.tellReplicas(['CLUSTER', 'SYNCSLOTS', claimed ? 'IMPORTED' : 'ABORTED', name])
    this.cluster.later(SAVE)
  }

  /** A replica that has been sent the dataset since an import began knows nothing of it. */
  tellNewReplicas(): void {
    const there = this.cluster.host.replication.replicas().filter(({ state }) => state !== 'wait_bgsave')
    const ids = there.map(({ client }) => client.id)
    const isNew = ids.some(id => !this.told.includes(id))
    this.told = ids
    if (!isNew) return
    this.cluster.host.tellReplicas(['CLUSTER', 'SYNCSLOTS', 'RESET'])
    for (const [name, known] of this.byName) this.tell(known.source === '' ? 'IMPORTING' : 'PREPARED', name, known)
  }

  // ---- on a replica ----

  learn(name: string, known: KnownImport): void {
    this.byName.set(name, known)
    this.cluster.later(SAVE | FSYNC)
  }

  /** The primary's import has ended; `claimed`: the slots are the primary's. */
  forget(name: string, claimed: boolean): void {
    const { cluster } = this
    const known = this.byName.get(name)
    if (known === undefined) return
    this.byName.delete(name)
    const { primary } = cluster.me
    if (claimed && primary !== undefined) for (const slot of slotsIn(known.slots)) cluster.give(primary, slot)
    cluster.later(SAVE | FSYNC | UPDATE_STATE)
  }

  forgetAll(): void {
    this.byName.clear()
    this.cluster.later(SAVE)
  }

  /** This replica takes its primary's place: prepared slots are its own, as they were the primary's or about to be. */
  claim(): void {
    const { cluster } = this
    const { me, owners } = cluster
    for (const [name, { slots, source, epoch }] of [...this.byName]) {
      if (source === '') continue
      const mine = slotsIn(slots).filter(slot => {
        const owner = owners[slot]
        return cluster.isFree(slot) || owner === me || (owner!.id === source && owner!.configEpoch === epoch)
      })
      for (const slot of mine) cluster.give(me, slot)
      if (mine.length === slotsIn(slots).length) this.close(name, true)
      cluster.host.log.notice(`Claiming ${mine.length} slots whose import my primary had prepared: ${name}`)
    }
  }
}
