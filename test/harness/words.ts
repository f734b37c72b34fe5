// Splits a command line in redis-cli's syntax: words between spaces, "double quotes" with \n \r \t \xNN escapes, and
// 'single quotes'.

const ESCAPES: { readonly [letter: string]: string } = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }

export function splitWords(line: string): string[] {
  const words: string[] = []
  let at = 0
  for (;;) {
    while (line[at] === ' ') at++
    if (at >= line.length) return words
    let word = ''
    while (at < line.length && line[at] !== ' ') {
      const quote = line[at]
      if (quote === '"' || quote === "'") {
        const end = closingQuote(line, at)
        const inside = line.slice(at + 1, end)
        word += quote === '"' ? unescape(inside) : inside.replaceAll("\\'", "'")
        at = end + 1
      } else word += line[at++]
    }
    words.push(word)
  }
}

function closingQuote(line: string, open: number): number {
  for (let i = open + 1; i < line.length; i++) {
    if (line[i] === '\\') i++
    else if (line[i] === line[open]) return i
  }
  throw new Error(`unbalanced quotes: ${line}`)
}

function unescape(text: string): string {
  return text.replace(/\\(x[0-9a-f]{2}|.)/gis, (_, escape: string) =>
    escape.length === 3 ? String.fromCharCode(Number.parseInt(escape.slice(1), 16)) : (ESCAPES[escape] ?? escape),
  )
}
