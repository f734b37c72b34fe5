// Info: the text of INFO, from the modules' sources (engine/monitoring/info.ts), in the order of info-fields.ts.
//
//   # Server            a section begins with its title
//   redis_version:7.2.4
//                       and an empty line separates it from the next
//
// Always: the order does not depend on the order of add(). What is asked first puts the sources together, and refuses a
// field that is not listed or has two owners, or none.

import type { InfoSource, InfoValue, PutField } from '../engine/monitoring/info.ts'
import { SECTIONS, type SectionFields, WITHOUT_MEANING } from './info-fields.ts'

type WriteField = (put: PutField) => void

interface ModuleSection {
  readonly module: string
  readonly name: string
  fields(): readonly (readonly [name: string, value: InfoValue])[]
}

interface Section {
  readonly spec: SectionFields
  /** In order. */
  readonly names: readonly string[]
  readonly owned: Map<string, WriteField>
  readonly prepare: (() => void)[]
}

/** The names of each section, read once. */
const LISTED: ReadonlyMap<SectionFields, readonly string[]> = new Map(SECTIONS.map(spec => [spec, namesIn(spec)]))

export class Info {
  /** Sections of modules in TypeScript. */
  moduleSections: () => Iterable<ModuleSection> = () => []
  private readonly specs: readonly SectionFields[]
  private readonly constants: typeof WITHOUT_MEANING
  private readonly sources: InfoSource[] = []
  /** Not made yet. */
  private readonly makers: (() => readonly InfoSource[])[] = []
  private complete: readonly Section[] | undefined

  constructor(specs: readonly SectionFields[] = SECTIONS, constants = WITHOUT_MEANING) {
    this.specs = specs
    this.constants = constants
  }

  /** Adds a module's fields. */
  add(source: InfoSource): void {
    this.sources.push(source)
    this.complete = undefined
  }

  /** Adds fields that are made when somebody first asks for some, or resets them. */
  addLate(make: () => readonly InfoSource[]): void {
    this.makers.push(make)
    this.complete = undefined
  }

  private all(): readonly InfoSource[] {
    for (const make of this.makers.splice(0)) this.sources.push(...make())
    return this.sources
  }

  /** CONFIG RESETSTAT: resets the counters of all sources. */
  reset(): void {
    for (const source of this.all()) source.reset?.()
  }

  private get sections(): readonly Section[] {
    this.complete ??= sectionsOf(this.specs, this.constants, this.all())
    return this.complete
  }

  /** The fields of these sections, of all when none are named, in their order. */
  fields(sections: readonly string[] = []): Map<string, string> {
    const fields = new Map<string, string>()
    for (const section of this.sections)
      if (sections.length === 0 || sections.includes(section.spec.name))
        putFields(section, (name, value) => fields.set(name, String(value)))
    return fields
  }

  /** `names` as a client wrote them; none: the default sections. */
  text(names: readonly string[]): string {
    const wanted = new Set(names.map(name => name.toLowerCase()))
    const all = wanted.has('everything') || wanted.has('all')
    const defaults = names.length === 0 || wanted.has('default')
    const parts: string[] = []
    for (const section of this.sections) {
      const { name, byDefault, hidden } = section.spec
      const asked = wanted.has(name) || (name === 'modules' && wanted.has('module_list'))
      if (asked || (all && hidden !== true) || (defaults && byDefault)) parts.push(sectionText(section))
    }
    const everyModule = wanted.has('everything') || wanted.has('modules')
    for (const { module, name, fields } of this.moduleSections()) {
      if (!everyModule && !wanted.has(module.toLowerCase()) && !wanted.has(name.toLowerCase())) continue
      const lines = fields().map(([field, value]) => `${field}:${value}\r\n`)
      parts.push(`# ${name}\r\n${lines.join('')}`)
    }
    return parts.join('\r\n')
  }
}

function sectionsOf(
  specs: readonly SectionFields[],
  constants: typeof WITHOUT_MEANING,
  sources: readonly InfoSource[],
): Section[] {
  const values = new Map(Object.entries(constants).map(([name, [value]]) => [name, value]))
  const sections = specs.map(spec => {
    const names = LISTED.get(spec) ?? namesIn(spec)
    const section: Section = { spec, names, owned: new Map(), prepare: [] }
    for (const name of names) {
      const value = values.get(name)
      if (value !== undefined) section.owned.set(name, put => put(name, value))
    }
    return section
  })
  for (const source of sources) {
    const section = sections.find(one => one.spec.name === source.section)
    if (section === undefined) throw new Error(`INFO has no section ${source.section}`)
    addTo(section, source)
  }
  for (const { names, owned } of sections)
    for (const name of names) if (!owned.has(name)) throw new Error(`INFO's field ${name} has no owner`)
  return sections
}

function addTo(section: Section, source: InfoSource): void {
  const own = (name: string, write: WriteField) => {
    if (!section.names.includes(name)) throw new Error(`INFO ${source.section} has no field ${name}`)
    if (section.owned.has(name)) throw new Error(`INFO's field ${name} has an owner already`)
    section.owned.set(name, write)
  }
  for (const [name, read] of Object.entries(source.fields ?? {})) own(name, put => putDefined(put, name, read()))
  for (const [name, write] of Object.entries(source.rows ?? {})) own(name, write)
  if (source.prepare !== undefined) section.prepare.push(() => source.prepare!())
}

function sectionText(section: Section): string {
  let text = `# ${section.spec.title}\r\n`
  putFields(section, (name, value) => {
    text += `${name}:${value}\r\n`
  })
  return text
}

function putFields({ names, owned, prepare }: Section, put: PutField): void {
  for (const step of prepare) step()
  for (const name of names) owned.get(name)?.(put)
}

function putDefined(put: PutField, name: string, value: InfoValue | undefined): void {
  if (value !== undefined) put(name, value)
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

function namesIn({ fields }: SectionFields): string[] {
  return fields.split(/\s+/).filter(name => name !== '')
}
