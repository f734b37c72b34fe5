// The report of npm run bench: a table in the terminal, and one HTML page without any reference outside it.
//
//   { title, unit, better: 'more' | 'less', rows: [{ name, ours, theirs? }] }     one section

/** A ratio beyond these is drawn at the edge. */
const RATIO_MAX = 4

/** Lines for the terminal. */
export function tableOf({ title, unit, better, rows }) {
  const head = `${`${title} (${unit})`.padEnd(52)}${'ours'.padStart(12)}${'theirs'.padStart(12)}${'ratio'.padStart(8)}`
  const lines = rows.map(row => {
    const compared = row.theirs === undefined ? '' : figure(row.theirs).padStart(12) + ratioText(row).padStart(8)
    return row.name.padEnd(52) + figure(row.ours).padStart(12) + compared
  })
  const mean = meanRatio(rows)
  if (mean !== undefined && rows.length > 1)
    lines.push(`${`geometric mean, ${better} is better`.padEnd(76)}${mean.toFixed(2).padStart(8)}`)
  return [head, ...lines, ''].join('\n')
}

/** The page; `conditions` are lines about the machine and the run. */
export function pageOf(sections, conditions) {
  const body = sections.map(sectionOf).join('\n')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Redstart: one run of the benchmark</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em }
  table { border-collapse: collapse; width: 100% }
  td, th { padding: 2px 8px; text-align: right; white-space: nowrap }
  td:first-child, th:first-child { text-align: left; white-space: normal }
  tr:nth-child(even) td { background: #8881 }
  svg { display: block }
  .good { fill: #2a9d5c }
  .bad { fill: #d1603d }
</style>
<h1>Redstart: one run of the benchmark</h1>
<ul>
${conditions.map(text => `  <li>${escaped(text)}</li>`).join('\n')}
</ul>
${body}
</html>
`
}

function sectionOf({ title, unit, better, rows }) {
  const compared = rows.some(row => row.theirs !== undefined)
  const head = compared ? '<th>theirs<th>ratio<th>half … one … double' : ''
  const lines = rows.map(row => {
    const other = compared ? `<td>${figure(row.theirs)}<td>${ratioText(row)}<td>${barOf(row, better)}` : ''
    return `<tr><td>${escaped(row.name)}<td>${figure(row.ours)}${other}`
  })
  return `<h2>${escaped(title)}</h2>
<p>${escaped(unit)}; ${better} is better.</p>
<table><tr><th><th>ours${head}
${lines.join('\n')}
</table>`
}

/** A bar from the middle (as good as theirs) to the ratio, on a logarithmic scale. */
function barOf(row, better) {
  const ratio = ratioOf(row)
  if (ratio === undefined) return ''
  const length = (Math.log(Math.min(RATIO_MAX, Math.max(1 / RATIO_MAX, ratio))) / Math.log(RATIO_MAX)) * 80
  const isGood = better === 'more' ? ratio >= 1 : ratio <= 1
  const x = (80 + Math.min(0, length)).toFixed(1)
  return `<svg width="160" height="12"><rect class="${isGood ? 'good' : 'bad'}" x="${x}" y="1" width="${Math.abs(length).toFixed(1)}" height="10"/><path d="M80 0v12" stroke="#888"/></svg>`
}

function ratioOf({ ours, theirs }) {
  return theirs > 0 && ours > 0 ? ours / theirs : undefined
}

function ratioText(row) {
  return ratioOf(row)?.toFixed(2) ?? '-'
}

function meanRatio(rows) {
  const logs = rows
    .map(ratioOf)
    .filter(ratio => ratio !== undefined)
    .map(Math.log)
  return logs.length === 0 ? undefined : Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length)
}

function figure(n) {
  if (n === undefined) return '-'
  if (Math.abs(n) >= 100) return Math.round(n).toLocaleString('en')
  return n.toFixed(2)
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
