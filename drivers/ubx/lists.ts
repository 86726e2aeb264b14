/** Messages that end in a list: the satellites in view, and the versions of hardware and firmware. */
import type { Value } from '../../runtime/sense/driver.ts'
import { bit, bits, text } from './layout.ts'

type Values = Readonly<Record<string, Value>>

/** By gnssId: the letter of RINEX (M: the beacons of IMES), and our word for what is in view. */
const systems = [
  { letter: 'G', inView: 'gps_in_view' },
  { letter: 'S', inView: 'sbas_in_view' },
  { letter: 'E', inView: 'galileo_in_view' },
  { letter: 'C', inView: 'beidou_in_view' },
  { letter: 'M', inView: 'imes_in_view' },
  { letter: 'J', inView: 'qzss_in_view' },
  { letter: 'R', inView: 'glonass_in_view' },
  { letter: 'I', inView: 'navic_in_view' },
]

type Satellite = {
  readonly system: number
  readonly number: number
  readonly cno: number
  /** Degrees; NaN where the receiver does not know. */
  readonly elev: number
  readonly azim: number
  /** Metres; NaN in the old message where no range was measured. */
  readonly prRes: number
  readonly quality: number
  readonly used: boolean
}

/**
 * NAV-SAT: version at 4, how many at 5, from 8 on 12 bytes each: gnssId, svId, cno (dBHz), elev (°), azim
 * (i2, °), prRes (i2, 0.1 m), flags (bits 0 to 2 quality, 3 used). All receivers that have it say version 1.
 */
export function satellites(payload: DataView): Values | undefined {
  const count = payload.getUint8(5)
  if (payload.getUint8(4) > 1 || payload.byteLength < 8 + 12 * count) return undefined
  return listed(
    Array.from({ length: count }, (_, n): Satellite => {
      const at = 8 + 12 * n
      const [elev, azim] = [payload.getInt8(at + 3), payload.getInt16(at + 4, true)]
      return {
        system: payload.getUint8(at),
        number: payload.getUint8(at + 1),
        cno: payload.getUint8(at + 2),
        ...direction(elev, azim),
        prRes: payload.getInt16(at + 6, true) / 10,
        quality: bits(at + 8, 0, 3)(payload),
        used: bit(at + 8, 3)(payload),
      }
    }),
  )
}

/**
 * NAV-SVINFO, before NAV-SAT was: channels at 4, from 8 on 12 bytes each: chn (255: none), svid, flags (bit 0
 * used), quality, cno, elev, azim (i2), prRes (i4, cm). One count of numbers for all systems, and 0 where a
 * channel has no satellite.
 */
export function satellitesOld(payload: DataView): Values | undefined {
  const count = payload.getUint8(4)
  if (payload.byteLength < 8 + 12 * count) return undefined
  const places = Array.from({ length: count }, (_, n) => 8 + 12 * n)
  return listed(
    places
      .filter((at) => payload.getUint8(at + 1) !== 0)
      .map((at): Satellite => {
        const [elev, azim] = [payload.getInt8(at + 5), payload.getInt16(at + 6, true)]
        const [used, quality] = [bit(at + 2, 0)(payload), bits(at + 3, 0, 4)(payload)]
        return {
          ...ofOldNumber(payload.getUint8(at + 1)),
          cno: payload.getUint8(at + 4),
          ...direction(elev, azim),
          prRes: payload.getInt32(at + 8, true) / 100,
          ...{ quality, used },
        }
      }),
  )
}

/** MON-VER: swVersion (30 bytes), hwVersion (10), then extensions of 30 each, one of which may be PROTVER. */
export function version(payload: DataView): Values {
  const lines = Array.from({ length: Math.floor((payload.byteLength - 40) / 30) }, (_, n) =>
    text(payload, 40 + 30 * n, 30),
  )
  const protVer = lines.map((line) => /^PROTVER[ =](\d+\.\d+)/.exec(line)?.[1]).find(Boolean)
  return {
    swVersion: text(payload, 0, 30),
    hwVersion: text(payload, 30, 10),
    ...(lines.length > 0 && { extension: lines.join('; ') }),
    ...(protVer !== undefined && { protVer: Number(protVer) }),
  }
}

/** Appendix "Satellite numbering" of the manuals. */
function ofOldNumber(svid: number): { readonly system: number; readonly number: number } {
  if (svid <= 32) return { system: 0, number: svid }
  if (svid <= 64) return { system: 3, number: svid - 27 }
  if (svid <= 96) return { system: 6, number: svid - 64 }
  if (svid >= 120 && svid <= 158) return { system: 1, number: svid }
  if (svid >= 159 && svid <= 163) return { system: 3, number: svid - 158 }
  if (svid >= 173 && svid <= 182) return { system: 4, number: svid - 172 }
  if (svid >= 193 && svid <= 202) return { system: 5, number: svid - 192 }
  if (svid >= 211 && svid <= 246) return { system: 2, number: svid - 210 }
  return { system: svid === 255 ? 6 : -1, number: svid }
}

function direction(elev: number, azim: number) {
  const known = elev >= -90 && elev <= 90 && azim >= 0 && azim <= 360
  return known ? { elev, azim } : { elev: Number.NaN, azim: Number.NaN }
}

function listed(all: readonly Satellite[]): Values {
  const values: Record<string, Value> = {
    numSvs: all.length,
    svUsed: all.filter(({ used }) => used).length,
  }
  for (const { system } of all) {
    const name = systems[system]?.inView
    if (name !== undefined) values[name] = Number(values[name] ?? 0) + 1
  }
  if (all.length === 0) return values
  const list = (one: (sv: Satellite) => number | string) =>
    all.map((sv) => (Number.isNaN(one(sv)) ? '-' : one(sv))).join(' ')
  values.svId = all.map(named).join(' ')
  values.cno = list(({ cno }) => cno)
  values.elev = list(({ elev }) => elev)
  values.azim = list(({ azim }) => azim)
  values.prRes = list(({ prRes }) => prRes)
  values.qualityInd = list(({ quality }) => quality)
  const used = all.filter((sv) => sv.used)
  return used.length === 0 ? values : { ...values, used: used.map(named).join(' ') }
}

function named({ system, number }: Satellite): string {
  return `${systems[system]?.letter ?? '?'}${number}`
}
