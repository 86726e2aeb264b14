/**
 * Which sensor speaks on a line: every driver listens at every setting at which its sensors are met, and who
 * understands most of the bytes has it.
 *
 * A chatty sensor is heard at any speed, as garbage at the wrong ones. So only the first setting is listened
 * to at length; once bytes have come, a short while at each of the others will do, and where none came there
 * is nothing to hear at another speed either.
 *
 * A port without a line behind it (a pty, an adapter that is the sensor) has no speed: all is well at any.
 * What only somebody without a checksum made out at one setting is therefore shown to the drivers of all the
 * others too, before he has it.
 */
import { pause } from '../time/pause.ts'
import { decoder } from './decoder.ts'
import type { Driver, Serial } from './driver.ts'
import { type OptionValues, readOptions } from './options.ts'
import type { OpenPort } from './port.ts'

export type Fingerprint = {
  readonly driver: Driver
  /** What to write into a config: the driver, or `driver.model` where the line is that of a model. */
  readonly name: string
  readonly serial: Serial
  /** What the config must say besides, of a sensor that only spoke when it was asked. */
  readonly options?: OptionValues
  /** Intact frames, and sayings that no checksum guarded. */
  readonly frames: number
  readonly unchecked: number
  /** How many of all these said values. */
  readonly said: number
  /** The part of the bytes that were understood, from 0 to 1. */
  readonly share: number
  /**
   * certain  several intact frames, and hardly a byte besides
   * likely   several frames among other bytes, one that is all there was, or frames without a checksum
   * perhaps  less: an accident can look like it
   */
  readonly sure: 'certain' | 'likely' | 'perhaps'
  /** What keeps its driver from saying values, when it said none. */
  readonly doubt?: string
}

export type Sniffing = {
  readonly path: string
  readonly drivers: readonly Driver[]
  readonly open: OpenPort
  /** Which drivers may send the questions that they name. */
  readonly asks: 'none' | 'private' | 'all'
  readonly signal: AbortSignal
  /** How long to wait for a first byte, for more after it, and for an answer. */
  readonly patience?: {
    readonly waitMs: number
    readonly listenMs: number
    readonly answerMs: number
  }
  progress?(words: string): void
}

/**
 * Who speaks; 'silent' when nobody does, undefined when nobody was understood. A port that cannot be opened
 * rejects.
 */
export async function sniff(line: Sniffing): Promise<Fingerprint | 'silent' | undefined> {
  const settings = settingsOf(line)
  let best: Fingerprint | undefined
  let heard = 0
  for (const [i, setting] of settings.entries()) {
    if (line.signal.aborted) break
    const questions = setting.candidates.flatMap(({ questions }) => questions)
    const listens = i === 0 || heard > 0
    if (!listens && questions.length === 0) continue
    const { found, bytes, begun } = await listenAt(line, setting, { listens, questions })
    heard += bytes
    const plain = found.length > 0 && found.every(({ frames }) => frames === 0)
    const all = plain ? [...found, ...elsewhere(settings, setting, begun)] : found
    const [first] = inOrder(all, line.drivers).toSorted(byEvidence)
    if (first !== undefined && (best === undefined || byEvidence(first, best) < 0)) best = first
    if (best !== undefined && best.sure !== 'perhaps') break
    if (heard === 0 && line.asks === 'none') break
  }
  return best ?? (heard === 0 ? 'silent' : undefined)
}

/** A sensor that speaks every ten seconds is heard; then two frames of one that speaks every second. */
const usualPatience = { waitMs: 11_000, listenMs: 2_500, answerMs: 400 }

/** A driver as its sensors are met on a line with one setting; with `options`, only when they were asked. */
type Candidate = Pick<Fingerprint, 'driver' | 'name' | 'serial' | 'options'> & {
  readonly questions: readonly Uint8Array[]
}
type Setting = { readonly serial: Serial; readonly candidates: readonly Candidate[] }

/** Every setting at which these are met, each driver's own first; who has it, in the order of the drivers. */
function settingsOf({ drivers, asks }: Sniffing): Setting[] {
  const all = drivers.map((driver) => ({ driver, forms: formsOf(driver, asks) }))
  const own = all.flatMap(({ forms }) => forms)
  const others = all.flatMap(({ driver: { otherBaudRates }, forms }) =>
    forms
      .slice(0, 1)
      .flatMap((form) =>
        otherBaudRates.map((baudRate) => ({ ...form, serial: { ...form.serial, baudRate } })),
      ),
  )
  const groups = Map.groupBy([...own, ...others], ({ serial }) => wordsOf(serial))
  return [...groups.values()].map((candidates) => ({
    serial: (candidates[0] as Candidate).serial,
    candidates,
  }))
}

/** The driver, its models where their bits on the line are others, and as it is where it must be asked. */
function formsOf(driver: Driver, asks: Sniffing['asks']): Candidate[] {
  const { id: name, serial, bus, asking } = driver
  // Whoever shares a line may be any of hundreds: on such a line it takes a person to say so.
  const may = asks === 'all' || (asks === 'private' && bus === undefined)
  const questions = may ? (driver.questions ?? []) : []
  const forms: Candidate[] = [
    { driver, name, serial, questions: asking === undefined ? questions : [] },
  ]
  // To who listens a second stop bit is but a pause.
  const bits = (serial: Serial) => wordsOf({ ...serial, baudRate: 0, stopBits: 1 })
  for (const [model, options] of Object.entries(driver.models)) {
    const as = driver.under?.(readOptions(driver, options))
    if (as === undefined || forms.some(({ serial }) => bits(serial) === bits(as.serial))) continue
    forms.push({ driver: as, name: `${name}.${model}`, serial: as.serial, questions: [] })
  }
  if (asking === undefined || questions.length === 0) return forms
  const as = driver.under?.(readOptions(driver, asking)) ?? driver
  return [...forms, { driver: as, name, serial: as.serial, options: asking, questions }]
}

export function wordsOf({ baudRate, dataBits = 8, parity = 'none', stopBits = 1 }: Serial): string {
  return `${baudRate} baud ${dataBits}${parity[0]?.toUpperCase()}${stopBits}`
}

async function listenAt(
  line: Sniffing,
  { serial, candidates }: Setting,
  { listens, questions }: { readonly listens: boolean; readonly questions: readonly Uint8Array[] },
) {
  const { signal, patience = usualPatience } = line
  line.progress?.(`listening at ${wordsOf(serial)}`)
  const port = await line.open({ path: line.path, ...serial })
  const down = new AbortController()
  const over = AbortSignal.any([signal, down.signal])
  let ears = candidates.filter(({ options }) => options === undefined).map(earOf)
  let begun: Uint8Array = new Uint8Array(0)
  let bytes = 0
  let beganMs = Number.POSITIVE_INFINITY
  port.onData((chunk) => {
    if (bytes === 0) beganMs = performance.now()
    if (bytes < begunMost) begun = Buffer.concat([begun, chunk])
    bytes += chunk.length
    for (const ear of ears) ear.push(chunk)
  })
  const lost = port.closed.then(() => down.abort())
  const found = () => ears.flatMap((ear) => ear.found() ?? [])
  if (listens) {
    const untilMs = performance.now() + patience.waitMs
    while (!over.aborted && performance.now() < Math.min(untilMs, beganMs + patience.listenMs)) {
      await pause(Math.min(patience.listenMs, stepMs), over)
    }
  }
  if (found().length === 0) ears = candidates.filter(hearsAnswers).map(earOf)
  for (const question of questions) {
    if (over.aborted || found().length > 0) break
    await port.write(question).catch(() => {})
    await pause(patience.answerMs + answerCharacters * characterMs(serial), over)
  }
  await port.close()
  await lost
  return { bytes, begun, found: found() }
}

/** Who may be asked on a line where nobody was understood: of two forms of a driver the one that asks. */
function hearsAnswers({ driver, options }: Candidate, _: number, all: readonly Candidate[]) {
  return options !== undefined || !all.some((one) => one.options && one.driver.id === driver.id)
}

/** The question, and so much of the answer that it is known, at the speed of the line. */
const answerCharacters = 40

function characterMs({ baudRate, dataBits = 8, parity = 'none', stopBits = 1 }: Serial): number {
  return ((1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits) * 1000) / baudRate
}

/** Kept of what came at one setting, to be shown to the drivers of the others. */
const begunMost = 65_536

/** Who else understands these bytes, whatever settings his sensors are used to. */
function elsewhere(settings: readonly Setting[], here: Setting, bytes: Uint8Array): Fingerprint[] {
  const tried = new Set(here.candidates.map(({ name }) => name))
  return settings.flatMap(({ candidates }) =>
    candidates.flatMap((candidate) => {
      if (tried.has(candidate.name) || candidate.options !== undefined) return []
      tried.add(candidate.name)
      const ear = earOf(candidate)
      ear.push(bytes)
      return ear.found() ?? []
    }),
  )
}

/** In the order of the drivers: of equals the first is taken. */
function inOrder(found: readonly Fingerprint[], drivers: readonly Driver[]): Fingerprint[] {
  const place = (one: Fingerprint) => drivers.findIndex(({ id }) => id === one.driver.id)
  return found.toSorted((a, b) => place(a) - place(b))
}

/** How often the first byte is looked for. */
const stepMs = 50

/** A driver that listens, and what it has made of the bytes so far. */
function earOf(candidate: Candidate) {
  const { driver, name, serial, options } = candidate
  const decode = decoder(driver, readOptions(driver, options))
  let bytes = 0
  /** Given up before the first frame: the line was opened in the middle of one. */
  let before = 0
  let unchecked = 0
  let said = 0
  let doubt: string | undefined
  return {
    push(chunk: Uint8Array) {
      bytes += chunk.length
      const first = decode.frames() === 0
      for (const { said: one } of decode.push(chunk)) {
        if (!one.ok) doubt = one.doubt
        else if (one.unchecked) unchecked += 1
        else said += 1
      }
      if (first && decode.frames() > 0) before = decode.skipped()
    },
    found(): Fingerprint | undefined {
      const frames = driver.check === undefined ? 0 : decode.frames() - unchecked
      if (frames + unchecked === 0) return undefined
      // One frame may be an accident: then all that is not of it counts.
      const noise = frames + unchecked > 1 ? before : 0
      const share = Math.max(0, 1 - (decode.skipped() - noise) / (bytes - noise))
      if (frames + unchecked === 1 && share < leastShare) return undefined
      const sure = sureness({ frames, unchecked, share })
      const evidence = {
        ...{ driver, name, serial, frames, unchecked, said: said + unchecked, share, sure },
        ...(options !== undefined && { options }),
      }
      return said + unchecked > 0 || doubt === undefined ? evidence : { ...evidence, doubt }
    },
  }
}

/** Short frames with a sum of 8 bits come about in any stream of somebody else: so much of it can be theirs. */
const chanceMost = 0.05

/** Of one frame: in less of it some driver finds one in almost any noise, by one byte of a sum or none. */
const leastShare = 0.15

function sureness(
  evidence: Pick<Fingerprint, 'frames' | 'unchecked' | 'share'>,
): Fingerprint['sure'] {
  const { frames, unchecked, share } = evidence
  if (frames > 1 && share > 0.9) return 'certain'
  if ((frames > 3 && share > chanceMost) || (frames > 1 && share > 0.5)) return 'likely'
  return (frames > 0 || unchecked > 1) && share > 0.9 ? 'likely' : 'perhaps'
}

/**
 * The more convincing first: what a checksum guarded, then who read values in it (sentences of ships are
 * whole to whoever knows their frame), then how many of the bytes were understood, and who read values in
 * more of the frames (a receiver's sentences among those of ships).
 */
function byEvidence(a: Fingerprint, b: Fingerprint): number {
  const rank = { certain: 0, likely: 1, perhaps: 2 } as const
  const guarded = Number(b.frames > 0) - Number(a.frames > 0)
  const mute = Number(a.doubt !== undefined) - Number(b.doubt !== undefined)
  const read = ({ said, frames, unchecked }: Fingerprint) => said / (frames + unchecked)
  return (
    guarded ||
    rank[a.sure] - rank[b.sure] ||
    mute ||
    b.share - a.share ||
    read(b) - read(a) ||
    b.frames - a.frames
  )
}
