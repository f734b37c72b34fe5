// The known word that somebody probably meant.

/** More changes than this per three letters is another word. */
const LETTERS_PER_CHANGE = 3

/** The nearest of `known` to `word`; undefined when none is near. */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestChanges = Math.max(1, Math.floor(word.length / LETTERS_PER_CHANGE)) + 1
  for (const one of known) {
    if (Math.abs(one.length - word.length) >= bestChanges) continue
    const changes = changesBetween(word.toLowerCase(), one.toLowerCase())
    if (changes >= bestChanges) continue
    best = one
    bestChanges = changes
  }
  return best
}

/** Letters to insert, remove or replace. */
function changesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(next[j] + 1, row[j + 1] + 1, row[j] + (a[i] === b[j] ? 0 : 1)))
    row = next
  }
  return row[b.length]
}
