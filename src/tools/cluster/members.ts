// Members: the primaries of a cluster with their slots, and a connection to each.
//
// Always: all of them were asked and said the same of every slot, and none of their slots was open.

import { Remote } from '../../client/remote.ts'
import type { ServerUrl } from '../../client/url.ts'
import { bitmapOf, eachRange, rangesText, SLOTS } from '../../cluster/bitmap.ts'
import { ReplyError, textOf } from '../../protocol/value.ts'
import { joinedAddress } from '../../system/network.ts'
import { type Machine, ToolError } from '../command-line.ts'

export interface Primary {
  readonly id: string
  /** host:port */
  readonly name: string
  readonly remote: Remote
  /** In order. */
  readonly slots: readonly number[]
  /** Nodes of one kind can move whole slots to each other; '': this one cannot. */
  readonly kind: string
}

/** A node as a line of CLUSTER NODES has it. */
interface Line {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly flags: readonly string[]
  readonly slots: readonly number[]
  readonly hasOpenSlots: boolean
}

export class Members {
  readonly primaries: Primary[] = []
  private readonly url: ServerUrl
  private readonly machine: Machine

  private constructor(url: ServerUrl, machine: Machine) {
    this.url = url
    this.machine = machine
  }

  /** Connects to all primaries of the cluster that the server belongs to. Throws ToolErrors and ClientErrors. */
  static async open(url: ServerUrl, machine: Machine): Promise<Members> {
    const members = new Members(url, machine)
    const first = await Remote.open(url, machine)
    try {
      const lines = await nodesSeenBy(first)
      for (const line of lines) if (line.flags.includes('master')) await members.add(line)
      await members.agree()
      return members
    } catch (error) {
      members.close()
      throw error
    } finally {
      first.close()
    }
  }

  private async add({ id, host, port, flags, slots }: Line): Promise<void> {
    // A node that has not been introduced does not know its own address.
    const plain = host === '' ? this.url.address.host : host
    const name = joinedAddress(plain, port)
    if (flags.some(flag => flag.startsWith('fail') || flag === 'noaddr')) {
      if (slots.length > 0) throw new ToolError(`${name}, which serves slots, cannot be reached`)
      return
    }
    const { text, address } = this.url
    const scheme = text.slice(0, text.indexOf(':'))
    const url = { ...this.url, address: { ...address, host: plain, port }, text: `${scheme}://${name}` }
    const remote = await Remote.open(url, this.machine)
    this.primaries.push({ id, name, remote, slots, kind: await kindOf(remote) })
  }

  /** Slots that are moving, or of which nodes say different things, are not to be planned with. */
  private async agree(): Promise<void> {
    const served = this.primaries.reduce((sum, one) => sum + one.slots.length, 0)
    if (served < SLOTS)
      throw new ToolError(`${SLOTS - served} slots are served by nobody: redis-cli --cluster fix mends it`)
    for (const one of this.primaries) {
      const lines = await nodesSeenBy(one.remote)
      if (lines.some(line => line.hasOpenSlots))
        throw new ToolError(`${one.name} has slots that are on their way: redis-cli --cluster fix ends that`)
      for (const { id, name, slots } of this.primaries) {
        const seen = lines.find(line => line.id === id)?.slots ?? []
        if (seen.length !== slots.length || seen.some((slot, i) => slot !== slots[i]))
          throw new ToolError(`${one.name} does not know yet which slots ${name} serves: try again in a few seconds`)
      }
    }
  }

  /** Each of `asked` says that the slots are the target's. */
  async know(slots: readonly number[], target: Primary, asked: readonly Primary[] = this.primaries): Promise<boolean> {
    for (const { remote } of asked) {
      const line = (await nodesSeenBy(remote)).find(({ id }) => id === target.id)
      const seen = new Set(line?.slots)
      if (!slots.every(slot => seen.has(slot))) return false
    }
    return true
  }

  /** The primary of that id, beginning of an id, or HOST:PORT. */
  named(text: string): Primary {
    const found = this.primaries.filter(({ id, name }) => name === text || (text !== '' && id.startsWith(text)))
    if (found.length === 1) return found[0]
    throw new ToolError(found.length === 0 ? `No primary is ${text}.` : `Several primaries begin with ${text}.`)
  }

  close(): void {
    for (const { remote } of this.primaries) remote.close()
  }
}

/** Which atomic migration the node knows: Redstart's and Valkey's streams differ. */
async function kindOf(remote: Remote): Promise<string> {
  if ((await remote.try('CLUSTER', 'GETSLOTMIGRATIONS')) instanceof ReplyError) return ''
  return (await remote.info('server')).redstart_version === undefined ? 'valkey' : 'redstart'
}

async function nodesSeenBy(remote: Remote): Promise<Line[]> {
  const text = textOf(await remote.call('CLUSTER', 'NODES'))
  return text.split('\n').filter(Boolean).map(parseLine)
}

/** id host:port@bus[,name…] flags primary ping pong epoch link [slot | first-last | [slot->-id] …] */
function parseLine(text: string): Line {
  const [id, address, flags, , , , , , ...words] = text.split(' ')
  const plain = address.split('@')[0]
  const colon = plain.lastIndexOf(':')
  const slots: number[] = []
  for (const word of words) {
    if (word.startsWith('[')) continue
    const [first, last = first] = word.split('-').map(Number)
    for (let slot = first; slot <= last; slot++) slots.push(slot)
  }
  slots.sort((a, b) => a - b)
  const hasOpenSlots = words.some(word => word.startsWith('['))
  const host = plain.slice(0, colon)
  return { id, host, port: Number(plain.slice(colon + 1)), flags: flags.split(','), slots, hasOpenSlots }
}

/** The ranges of a list of slots. */
export function runsOf(slots: readonly number[]): [first: number, last: number][] {
  const runs: [first: number, last: number][] = []
  eachRange(bitmapOf(slots.map(slot => [slot, slot])), (first, last) => void runs.push([first, last]))
  return runs
}

/** '0-99 200' */
export function rangesOf(slots: readonly number[]): string {
  return rangesText(bitmapOf(slots.map(slot => [slot, slot])))
}
