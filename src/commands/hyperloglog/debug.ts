// PFDEBUG, PFSELFTEST.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_STRING } from '../../keyspace/types.ts'
import { registerAndRun } from '../../lib/murmur.ts'
import { Slice } from '../../lib/slice.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { CORRUPT, isValidOrReply, makeDense, REGISTER_BITS, REGISTER_MASK, roomyCopy } from './count.ts'
import * as hll from './registers.ts'

const NO_SUCH_KEY = errorBytes('ERR The specified key does not exist')
const NOT_SPARSE = errorBytes('ERR HLL encoding is not sparse')

const pfDebug: Command = {
  name: 'pfdebug',
  arity: 3,
  flags: 'write denyoom admin',
  keys: 'RW ACCESS @2',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'Look at the registers and the encoding of a HyperLogLog.',
  complexity: 'N/A',
  args: 'subcommand key#0',
  syscmd: true,
  run(ctx) {
    const { args, db, reply } = ctx
    const entry = ctx.writeOrReply(args[2], TYPE_STRING)
    if (entry === 0) return reply.fixedError(NO_SUCH_KEY)
    if (entry === WRONG || !isValidOrReply(ctx, entry)) return
    const sparse = hll.encodingOf(ctx.value) === hll.SPARSE
    if (ctx.is(1, 'encoding')) return reply.simple(sparse ? 'sparse' : 'dense')
    if (ctx.is(1, 'decode')) {
      return sparse ? reply.bulkText(decoded(ctx.value)) : reply.fixedError(NOT_SPARSE)
    }
    const getRegisters = ctx.is(1, 'getreg')
    if (!getRegisters && !ctx.is(1, 'todense')) {
      return reply.error(`ERR Unknown PFDEBUG subcommand '${args[1].latin1()}'`)
    }
    if (sparse) {
      if (!makeDense(ctx, args[2], entry)) return reply.fixedError(CORRUPT)
      ctx.keyspace.dirty++
    }
    if (!getRegisters) return reply.integer(sparse ? 1 : 0)
    db.strings.textOf(db.find(args[2]), ctx.value)
    reply.array(hll.REGISTERS)
    for (let i = 0; i < hll.REGISTERS; i++) reply.integer(hll.denseRegister(ctx.value, i))
  },
}

/** The opcodes of a sparse string: z and Z are zeros in one and two bytes, v is a value and its run. */
function decoded(value: Slice): string {
  const words: string[] = []
  hll.forEachRun(value, (_first, length, run) => {
    words.push(run > 0 ? `v:${run},${length}` : `${length > 64 ? 'Z' : 'z'}:${length}`)
  })
  return words.join(' ')
}

const SELF_TEST_ROUNDS = 20
const SELF_TEST_ELEMENTS = 1_000_000
const STANDARD_ERROR = 1.04 / Math.sqrt(hll.REGISTERS)

const pfSelfTest: Command = {
  name: 'pfselftest',
  arity: 1,
  flags: 'admin',
  since: '2.8.9',
  group: 'hyperloglog',
  summary: 'Test the HyperLogLog code of the server.',
  complexity: 'N/A',
  syscmd: true,
  run(ctx) {
    const failure = registersFail(ctx.keyspace.random) ?? estimatesFail(ctx)
    if (failure === undefined) ctx.reply.ok()
    else ctx.reply.error(`ERR TESTFAILED ${failure}`)
  },
}

function registersFail(random: () => number): string | undefined {
  const dense = roomyCopy(undefined)
  hll.toDense(dense)
  const expected = new Uint8Array(hll.REGISTERS)
  for (let round = 0; round < SELF_TEST_ROUNDS; round++) {
    for (let i = 0; i < hll.REGISTERS; i++) hll.setDense(dense, i, (expected[i] = random() & 63))
    for (let i = 0; i < hll.REGISTERS; i++) {
      const value = hll.denseRegister(dense, i)
      if (value !== expected[i]) return `Register ${i} should be ${expected[i]} but is ${value}`
    }
  }
  return undefined
}

/** Sparse and dense must agree, and neither may be off by more than six standard errors. */
function estimatesFail(ctx: Context): string | undefined {
  const { hllSparseMaxBytes } = ctx.settings
  const sparse = roomyCopy(undefined)
  const dense = roomyCopy(undefined)
  hll.toDense(dense)
  const element = new Slice(new Uint8Array(8), 0, 8)
  element.dv.setUint32(4, ctx.keyspace.random())
  let checkpoint = 1
  for (let i = 1; i <= SELF_TEST_ELEMENTS; i++) {
    element.dv.setUint32(0, i)
    const hash = registerAndRun(element)
    hll.raiseRegister(dense, hash & REGISTER_MASK, hash >>> REGISTER_BITS, hllSparseMaxBytes)
    if (hll.raiseRegister(sparse, hash & REGISTER_MASK, hash >>> REGISTER_BITS, hllSparseMaxBytes) === 'promote') {
      hll.toDense(sparse)
      hll.raiseRegister(sparse, hash & REGISTER_MASK, hash >>> REGISTER_BITS, hllSparseMaxBytes)
    }
    if (i !== checkpoint) continue
    if (i < hllSparseMaxBytes / 2 && hll.encodingOf(sparse) !== hll.SPARSE) return 'sparse encoding not used'
    const counted = hll.cardinality(dense)
    if (counted !== hll.cardinality(sparse)) return 'dense/sparse disagree'
    const error = Math.abs(counted - checkpoint)
    // Of ten elements two may share a register now and then.
    if (error > (i === 10 ? 1 : Math.ceil(STANDARD_ERROR * 6 * checkpoint))) {
      return `Too big error. card:${checkpoint} abserr:${error}`
    }
    checkpoint *= 10
  }
  return undefined
}

export const debuggingCommands: readonly Command[] = [pfDebug, pfSelfTest]
