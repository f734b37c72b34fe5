// Minimizes the steps that lead to a difference: removes ever smaller runs of them while a difference remains (delta
// debugging).

import type { Step } from './step.ts'

/** `differs` plays steps and returns whether the servers still differ. At most `playsMax` plays. */
export async function shrink(
  steps: readonly Step[],
  differs: (steps: readonly Step[]) => Promise<boolean>,
  playsMax: number,
): Promise<readonly Step[]> {
  let playsLeft = playsMax
  let runLength = Math.ceil(steps.length / 2)
  while (playsLeft > 0) {
    let removedSome = false
    // From the end: the decisive step is often the last, and what it depends on comes before it.
    for (let end = steps.length; end > 0 && playsLeft > 0; ) {
      const from = Math.max(0, end - runLength)
      const shorter = [...steps.slice(0, from), ...steps.slice(end)]
      playsLeft--
      if (shorter.length > 0 && (await differs(shorter))) {
        steps = shorter
        removedSome = true
      }
      end = from
    }
    if (runLength > 1) runLength = Math.ceil(runLength / 2)
    else if (!removedSome) break
  }
  return steps
}
