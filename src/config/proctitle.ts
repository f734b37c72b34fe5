// The process title, from proc-title-template.

const TITLE_VARIABLES = [
  'title',
  'listen-addr',
  'server-mode',
  'port',
  'tls-port',
  'unixsocket',
  'config-file',
] as const

type TitleValues = { readonly [name in (typeof TITLE_VARIABLES)[number]]: string }

/** The template with {variables} filled in and {{ for {; null when it has an unknown variable or no closing brace. */
export function expandTitle(template: string, values: TitleValues): string | null {
  let text = ''
  for (let at = 0; at < template.length; ) {
    const open = template.indexOf('{', at)
    if (open < 0) return (text + template.slice(at)).trim()
    text += template.slice(at, open)
    if (template[open + 1] === '{') {
      text += '{'
      at = open + 2
      continue
    }
    const close = template.indexOf('}', open)
    const name = template.slice(open + 1, close) as keyof TitleValues
    if (close < 0 || !TITLE_VARIABLES.includes(name)) return null
    text += values[name]
    at = close + 1
  }
  return text.trim()
}

const EMPTY_AT_START = ['title', 'server-mode']

/** Whether a template is well formed and not blank. */
export function isTitleTemplate(template: string): boolean {
  const probe = Object.fromEntries(TITLE_VARIABLES.map(name => [name, EMPTY_AT_START.includes(name) ? '' : 'x']))
  return (expandTitle(template, probe as unknown as TitleValues) ?? '') !== ''
}
