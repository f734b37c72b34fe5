// A rate limiter: CL.THROTTLE key max_burst count period [quantity], with the replies of redis-cell.
//
// The generic cell rate algorithm: a key holds the theoretical arrival time (tat) of the next request, in milliseconds.
//
//   now ──── tat − tolerance ──── tat        a request is allowed while its new tat is within `tolerance` of now
//
// Always: a refused request changes nothing; a key expires when its limit is whole again.

import { CommandError, defineModule, type ModuleContext } from '../src/module.ts'

type Verdict = [limited: number, limit: number, remaining: number, retryS: number, resetS: number]

function throttle(ctx: ModuleContext): Verdict {
  if (ctx.argc > 6) throw new CommandError("ERR wrong number of arguments for 'cl.throttle' command")
  const key = ctx.args[1]
  const maxBurst = ctx.integer(2)
  const count = ctx.integer(3)
  const periodS = ctx.integer(4)
  const quantity = ctx.argc === 6 ? ctx.integer(5) : 1
  if (maxBurst < 0 || count <= 0 || periodS <= 0 || quantity < 0)
    throw new CommandError('ERR max_burst and quantity are not negative, count and period are positive')
  const limit = maxBurst + 1
  const emissionMs = (periodS * 1000) / count
  const toleranceMs = emissionMs * limit
  const now = ctx.nowMs()
  const stored = Number(ctx.call('GET', key) ?? Number.NaN)
  const tat = Number.isNaN(stored) ? now : Math.max(stored, now)
  const next = tat + emissionMs * quantity
  const isLimited = next - toleranceMs > now
  const after = isLimited ? tat : next
  if (!isLimited && quantity > 0) ctx.call('SET', key, next, 'PX', Math.max(1, Math.ceil(next - now)))
  // What can never be allowed has nothing to wait for.
  const isPossible = emissionMs * quantity <= toleranceMs
  const retryS = isLimited && isPossible ? seconds(next - toleranceMs - now) : -1
  return [isLimited ? 1 : 0, limit, Math.floor((toleranceMs - (after - now)) / emissionMs), retryS, seconds(after - now)]
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}

export default defineModule({
  name: 'throttle',
  version: 1,
  apiVersion: 1,
  commands: [
    {
      name: 'cl.throttle',
      arity: -5,
      flags: 'write denyoom fast',
      keys: 'RW ACCESS UPDATE @1',
      summary: 'Count a request against the limit of a key.',
      complexity: 'O(1)',
      args: 'key#0 max-burst:integer count:integer period:integer [quantity:integer]',
      run: throttle,
    },
  ],
})
