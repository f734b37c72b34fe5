// redstart cluster ACTION DIR|URL: clusters on this machine (local.ts), and slots that move between nodes of any.
//
//   members.ts: who serves what ─▶ plan.ts: who gives which slots to whom ─▶ shown, confirmed ─▶ mover.ts

import { SLOTS } from '../../cluster/bitmap.ts'
import {
  confirmed,
  EXIT_GOOD,
  EXIT_INTERRUPTED,
  type Machine,
  print,
  type Tool,
  ToolError,
  type Words,
} from '../command-line.ts'
import { serverOf, TLS_FLAGS } from '../online/session.ts'
import { LOCAL_ACTIONS, LOCAL_FLAGS, LocalCluster } from './local.ts'
import { Members, type Primary, rangesOf } from './members.ts'
import { Mover } from './mover.ts'
import { drainPlan, type Move, rangePlan, rebalancePlan, reshardPlan, THRESHOLD_PERCENT } from './plan.ts'

const ABOUT = `
On this machine, in a folder:

  start DIR      makes a cluster of --nodes servers on ports --port and up: primaries that share the slots evenly, and
                 --replicas replicas for each of them. They run as daemons, with an append-only file, and go on after
                 the command has ended. In a folder that has a cluster already, start starts its nodes again
  stop DIR       shuts all of them down and keeps the folder
  status DIR     shows each node as the cluster sees it

In any cluster, by the URL of one of its nodes (its user and password are those of all nodes):

  rebalance URL  gives every primary its share of the slots, in proportion to --weight (1). Primaries without slots
                 take part with --empty. Nothing is done below --threshold percent of difference
  reshard URL    moves --slots slots to the primary --to: from all others in proportion, or from those named by --from;
                 or the slots of --range, whoever has them
  drain URL      gives all slots of the primary --node to the others, so that it can be removed

A NODE is its id, the beginning of it, or HOST:PORT. The plan is shown first; --dry-run ends there, --yes asks nothing.

Between nodes that know how, slots move whole (CLUSTER MIGRATESLOTS): clients see MOVED once, writes pause for
milliseconds, and an interruption leaves nothing behind. To and from all other nodes, redis-server among them, a slot
moves key by key (CLUSTER SETSLOT, MIGRATE); an interruption waits for the end of the slot. The same command plans anew
what is left.

Examples: redstart cluster start ./my-cluster && redis-cli -c -p 7000
          redstart cluster rebalance redis://127.0.0.1:7000 --dry-run
`

type Planner = (members: Members, words: Words) => Move[]

const PLANNERS = new Map<string, Planner>([
  ['rebalance', planRebalance],
  ['reshard', planReshard],
  ['drain', planDrain],
])

export const clusterTool: Tool = {
  name: 'cluster',
  summary: 'Starts, stops and shows a cluster on this machine; moves slots between the nodes of any cluster.',
  operands: 'ACTION DIR|URL',
  about: ABOUT,
  flags: [
    ...LOCAL_FLAGS,
    { name: '--weight', value: 'NODE=N', many: true, about: 'rebalance: the share of a primary (1)' },
    { name: '--empty', about: 'rebalance, drain: also to primaries without slots' },
    { name: '--threshold', value: 'PERCENT', about: `rebalance: difference that is let be (${THRESHOLD_PERCENT})` },
    { name: '--slots', value: 'N', about: 'reshard: how many' },
    { name: '--range', value: 'FIRST-LAST', many: true, about: 'reshard: which, instead of --slots' },
    { name: '--to', value: 'NODE', about: 'reshard: who gets them' },
    { name: '--from', value: 'NODE', many: true, about: 'reshard: who gives them (all)' },
    { name: '--node', value: 'NODE', about: 'drain: who gives all' },
    { name: '--by-keys', about: 'key by key between all nodes' },
    { name: '--dry-run', about: 'show the plan and end' },
    { name: '--yes', about: 'do not ask' },
    ...TLS_FLAGS,
  ],
  run: (words, machine) => {
    const [action] = words.operands
    if (LOCAL_ACTIONS.includes(action)) return new LocalCluster(words, machine).run()
    const planner = PLANNERS.get(action)
    if (planner !== undefined) return move(planner, words, machine)
    throw new ToolError(`There is no action ${action}: ${[...LOCAL_ACTIONS, ...PLANNERS.keys()].join(', ')}.`)
  },
}

async function move(planner: Planner, words: Words, machine: Machine): Promise<number> {
  const url = serverOf(words.operands[1], words, machine)
  if (url.database >= 0 || url.address.path !== undefined)
    throw new ToolError(`${url.text}: a node of a cluster is named by host and port alone`)
  const members = await Members.open(url, machine)
  try {
    const moves = planner(members, words)
    if (moves.length === 0) {
      print(machine, 'Nothing to move.\n')
      return EXIT_GOOD
    }
    const byKeys = words.has('--by-keys')
    print(machine, planText(members.primaries, moves, byKeys))
    if (words.has('--dry-run')) return EXIT_GOOD
    if (!words.has('--yes') && !confirmed(machine, 'Move them?')) return EXIT_INTERRUPTED
    await new Mover(machine, members, byKeys).run(moves)
    return EXIT_GOOD
  } finally {
    members.close()
  }
}

function planRebalance(members: Members, words: Words): Move[] {
  const weights = new Map<Primary, number>()
  for (const text of words.all('--weight')) {
    const at = text.lastIndexOf('=')
    const digits = at < 0 ? '' : text.slice(at + 1)
    if (!/^\d+(\.\d+)?$/.test(digits)) throw new ToolError('--weight wants NODE=N, N a number from 0 up.')
    weights.set(members.named(text.slice(0, at)), Number(digits))
  }
  const threshold = words.integer('--threshold', 0, 100) ?? THRESHOLD_PERCENT
  return rebalancePlan(members.primaries, weights, words.has('--empty'), threshold)
}

function planReshard(members: Members, words: Words): Move[] {
  const to = members.named(words.text('--to') ?? missing('reshard', '--to NODE'))
  const ranges = words.all('--range')
  if (ranges.length > 0) return rangePlan(members.primaries, ranges.flatMap(slotsOf), to)
  const count = words.integer('--slots', 1, SLOTS) ?? missing('reshard', '--slots N, or --range')
  const named = words.all('--from').map(text => members.named(text))
  return reshardPlan(named.length > 0 ? named : members.primaries, count, to)
}

function planDrain(members: Members, words: Words): Move[] {
  const node = members.named(words.text('--node') ?? missing('drain', '--node NODE'))
  return drainPlan(members.primaries, node, words.has('--empty'))
}

function missing(action: string, what: string): never {
  throw new ToolError(`${action} wants ${what}.`)
}

function slotsOf(text: string): number[] {
  const [first, last = first, ...more] = text.split('-').map(word => (/^\d{1,5}$/.test(word) ? Number(word) : SLOTS))
  if (more.length > 0 || first > last || last >= SLOTS)
    throw new ToolError(`--range wants FIRST-LAST, up to ${SLOTS - 1}.`)
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

function planText(primaries: readonly Primary[], moves: readonly Move[], byKeys: boolean): string {
  const sum = (chosen: readonly Move[]) => chosen.reduce((slots, one) => slots + one.slots.length, 0)
  const lines: string[] = []
  for (const one of primaries) {
    const gives = sum(moves.filter(({ source }) => source === one))
    const gets = sum(moves.filter(({ target }) => target === one))
    const after = one.slots.length - gives + gets
    lines.push(`${one.name} ${one.id.slice(0, 8)}  ${one.slots.length} slots, then ${after}`)
  }
  lines.push('')
  for (const { source, target, slots } of moves) {
    const way = !byKeys && source.kind !== '' && source.kind === target.kind ? 'whole' : 'key by key'
    lines.push(`${source.name} to ${target.name}: ${slots.length} slots, ${way} (${rangesOf(slots)})`)
  }
  return `${lines.join('\n')}\n`
}
