/** What the tests of AIS share: sentences made of bits. */

/**
 * Bits as `value:count` with a space between, as sentences of at most `letters` letters of payload each.
 */
export function sentences(spec: string, letters = 60, sequence = '1'): string[] {
  const bits = spec
    .trim()
    .split(/\s+/)
    .map((word) => word.split(':').map(Number))
    .map(([value = 0, count = 0]) =>
      BigInt.asUintN(count, BigInt(value)).toString(2).padStart(count, '0'),
    )
    .join('')
  const fill = (6 - (bits.length % 6)) % 6
  const sixes = bits.padEnd(bits.length + fill, '0').match(/.{6}/g) ?? []
  const payload = sixes
    .map((six) => Number.parseInt(six, 2))
    .map((six) => String.fromCharCode(six < 40 ? six + 48 : six + 56))
    .join('')
  const parts = payload.match(new RegExp(`.{1,${letters}}`, 'g')) ?? []
  const said = parts.length > 1 ? sequence : ''
  return parts.map((part, n) =>
    sealed(`AIVDM,${parts.length},${n + 1},${said},A,${part},${n === parts.length - 1 ? fill : 0}`),
  )
}

/** A sentence, or what stands between the backslashes of a tag block, with its checksum. */
export function sealed(body: string, start = '!'): string {
  const sum = [...body].reduce((xor, letter) => xor ^ letter.charCodeAt(0), 0)
  return `${start}${body}*${sum.toString(16).toUpperCase().padStart(2, '0')}\r\n`
}

/** A position report of class A, with these instead of what stands in it. */
export function report(change: Readonly<Record<string, number>> = {}): string {
  const { turn = 0, speed = 86, lon = 0, lat = 0, course = 359, heading = 35, second = 5 } = change
  const { type = 1, mmsi = 227006760, status = 0 } = change
  const [line = ''] = sentences(
    `${type}:6 0:2 ${mmsi}:30 ${status}:4 ${turn}:8 ${speed}:10 1:1 ${lon}:28 ${lat}:27 ` +
      `${course}:12 ${heading}:9 ${second}:6 0:2 0:3 1:1 0:19`,
  )
  return line
}

/** What a ship says of its voyage, in two sentences. */
export function voyage(mmsi: number, sequence: string): string[] {
  return sentences(`5:6 0:2 ${mmsi}:30 ${'0:30 '.repeat(12)} 0:26`, 60, sequence)
}
