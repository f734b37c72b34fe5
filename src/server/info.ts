// Info: the text of INFO. Sections are functions that put fields; rooms that come later provide single fields, or
// whole sections, in the place of what stands here.
//
//   # Server            a section begins with its title
//   redis_version:7.2.4
//                       and an empty line parts it from the next
//
// Always: sections come in Redis's order, whatever order they were asked for in.

export type InfoValue = number | string
export type PutField = (name: string, value: InfoValue) => void
export type InfoSection = (put: PutField) => void

interface Section {
  name: string
  title: string
  byDefault: boolean
  /** Not part of 'all': only when named, or with 'everything'. */
  hidden: boolean
  write: InfoSection
}

export class Info {
  private readonly sections: Section[] = []
  private readonly provided = new Map<string, () => InfoValue>()

  /** Adds a section at the end, or gives one of the same name another content. */
  section(name: string, title: string, byDefault: boolean, write: InfoSection, hidden = false): void {
    const old = this.sections.find(s => s.name === name)
    if (old !== undefined) old.write = write
    else this.sections.push({ name, title, byDefault, hidden, write })
  }

  /** The value of a field from now on, in the place where its section has it. */
  provide(field: string, value: () => InfoValue): void {
    this.provided.set(field, value)
  }

  /** `names` as a client wrote them; none: the default sections. */
  text(names: readonly string[]): string {
    const wanted = new Set(names.map(name => name.toLowerCase()))
    const everything = wanted.has('everything')
    const all = everything || wanted.has('all')
    const defaults = names.length === 0 || wanted.has('default')
    const parts: string[] = []
    for (const section of this.sections) {
      const asked = wanted.has(section.name) || (section.name === 'modules' && wanted.has('module_list'))
      if (!asked && !(all && !section.hidden) && !(defaults && section.byDefault)) continue
      let text = `# ${section.title}\r\n`
      section.write((field, value) => {
        text += `${field}:${this.provided.get(field)?.() ?? value}\r\n`
      })
      parts.push(text)
    }
    return parts.join('\r\n')
  }
}

/** 1536 -> 1.50K */
export function humanBytes(bytes: number): string {
  let value = bytes
  for (const unit of ['B', 'K', 'M', 'G', 'T', 'P', 'E']) {
    if (value < 1024) return unit === 'B' ? `${value}B` : `${value.toFixed(2)}${unit}`
    value /= 1024
  }
  return `${bytes}B`
}

/** A quotient with two decimals; 'nan' and 'inf' as C prints them. */
export function ratio(a: number, b: number): string {
  if (b === 0) return a === 0 ? 'nan' : 'inf'
  return (a / b).toFixed(2)
}
