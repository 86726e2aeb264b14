/** Units as sketches and their libraries write them behind a number. */
import type { Unit } from '../../runtime/sense/driver.ts'

/** What this word can mean, the likeliest first; nothing for a word that is no unit here. */
export function unitsNamed(word: string): readonly Unit[] {
  return suffixes[word] ?? []
}

export function isUnit(word: string): boolean {
  return unitsNamed(word).length > 0
}

/** The same text with each unit in one word: 23.45 degrees C is 23.45 °C, and 45.6 % rH is 45.6 %RH. */
export function inOneWord(text: string): string {
  return text
    .replace('％', '%')
    .replace(degrees, (_found, of: string) => `°${of.toUpperCase()}`)
    .replace(humidity, '%RH')
}

const degrees = /(?<=\d\s?)(?:deg(?:ree)?s?\.?|[°º'o]) ?\b([CFK])(?:elsius|ahrenheit|elvin)?\b/gi
const humidity = /%\s?r\.?h\b\.?/gi

/** The first is meant where no table says another. */
const suffixes: Readonly<Record<string, readonly Unit[]>> = Object.assign(Object.create(null), {
  // The example of Adafruit's BME280 prints a star for the degree that its font has not.
  ...{
    C: ['Cel'],
    '°C': ['Cel'],
    '*C': ['Cel'],
    '℃': ['Cel'],
    degC: ['Cel'],
    oC: ['Cel'],
    K: ['K'],
  },
  ...{ Celsius: ['Cel'], celsius: ['Cel'], Cel: ['Cel'], '°': ['deg'], degrees: ['deg'] },
  ...{ '%': ['/100', '%RH', '%EL'], '%RH': ['%RH'], RH: ['%RH'], percent: ['/100', '%RH', '%EL'] },
  ...{ Pa: ['Pa'], hPa: ['hPa'], mbar: ['hPa'], mBar: ['hPa'], N: ['N'] },
  ...{ V: ['V'], mV: ['mV'], A: ['A'], mA: ['mA'], W: ['W'], kW: ['kW'], Wh: ['Wh'], kWh: ['kWh'] },
  ...{ Ah: ['Ah'], J: ['J'], VA: ['VA'], Hz: ['Hz'], MHz: ['MHz'], Ohm: ['Ohm'], Ω: ['Ohm'] },
  ...{ kVA: ['kVA'], var: ['var'], kvar: ['kvar'], kVAh: ['kVAh'], kvarh: ['kvarh'] },
  ...{ ohm: ['Ohm'], ohms: ['Ohm'], Ohms: ['Ohm'], volts: ['V'], Volts: ['V'], amps: ['A'] },
  ...{ ppm: ['ppm'], ppb: ['ppb'], lx: ['lx'], lux: ['lx'], Lux: ['lx'], dB: ['dB'], dBm: ['dBm'] },
  ...{ 'ug/m3': ['ug/m3'], 'µg/m3': ['ug/m3'], 'μg/m3': ['ug/m3'], 'µg/m³': ['ug/m3'] },
  ...{ 'ug/m^3': ['ug/m3'], 'µg/m^3': ['ug/m3'], 'mg/m^3': ['mg/m3'], 'm/s^2': ['m/s2'] },
  ...{ 'm/s²': ['m/s2'], 'm/s2': ['m/s2'], 'deg/s': ['deg/s'], rpm: ['1/min'], RPM: ['1/min'] },
  ...{ 'μg/m³': ['ug/m3'], 'ug/m³': ['ug/m3'], 'mg/m3': ['mg/m3'], 'mg/m³': ['mg/m3'] },
  ...{ 'W/m2': ['W/m2'], 'W/m²': ['W/m2'], 'W/m^2': ['W/m2'], 'mm/h': ['mm/h'], rad: ['rad'] },
  ...{ m: ['m'], mm: ['mm'], cm: ['cm'], km: ['km'], s: ['s'], ms: ['ms'], min: ['min'], h: ['h'] },
  ...{ 'm/s': ['m/s'], 'km/h': ['km/h'], kg: ['kg'], l: ['l'], L: ['l'], deg: ['deg'] },
} satisfies Record<string, readonly Unit[]>)
