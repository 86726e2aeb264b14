/**
 * What boards put around their lines, and what they say of themselves when they start: none of it measures.
 *
 *   colours        ESC [ 0 ; 3 2 m, as ESP-IDF and ESPHome paint their logs
 *   ESP-IDF        I (12345) tag: t=21.5
 *   ESPHome        [12:34:56][D][sensor:093]: 'Outside': Sending state 21.5 °C with 1 decimals of accuracy
 *   Tasmota        10:00:00 MQT: tele/shed/SENSOR = {"BME280":{"Temperature":21.5}}
 *   Arduino IDE    12:34:56.789 -> t=21.5
 *   Teleplot       >t:21.5    >t:1627551892437:21.5§°C|g
 *   tags           [INFO] [ 1234 ms ] t=21.5    INFO: t=21.5
 *   marks          <t=21.5>    (21.5,40)    /* 21.5,40 * /    b'{"t":21.5}'    STX t=21.5 ETX 3f
 *   start          rst:0x1 (POWERON_RESET),boot:0x13 … load:0x3fff0030,len:1344 … entry 0x400805f0
 *
 * Source: the boot messages of the ROMs of ESP8266 and ESP32 as their makers print them (esptool
 * documentation, "Boot mode message"), and the log formats of these projects.
 */

/** A line of bytes without what is not its text: colours, zeros around it, marks of its start and end. */
export function withoutPaint(line: Uint8Array): Uint8Array {
  const bytes = withoutMarks(line)
  if (!bytes.includes(escapes) && bytes[0] !== 0 && bytes.at(-1) !== 0) return bytes
  const plain: number[] = []
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number
    if (byte !== escapes || bytes[at + 1] !== bracket) {
      plain.push(byte)
      continue
    }
    // Parameters and intermediates, up to the letter that ends it (ECMA-48 §5.4).
    at += 2
    while (at < bytes.length && ((bytes[at] as number) < 0x40 || (bytes[at] as number) > 0x7e))
      at += 1
  }
  const first = plain.findIndex((byte) => byte !== 0)
  const last = plain.findLastIndex((byte) => byte !== 0)
  return Uint8Array.from(plain.slice(Math.max(first, 0), last + 1))
}

/** Scales and anemometers begin with STX and end with ETX, with or without a checksum behind it. */
function withoutMarks(bytes: Uint8Array): Uint8Array {
  const start = bytes.indexOf(startOfText)
  if (start < 0) return bytes
  const end = bytes.indexOf(endOfText, start)
  return bytes.subarray(start + 1, end < 0 ? bytes.length : end)
}

/** A line without what its logger puts before it, and out of the marks that it may stand between. */
export function withoutPrefix(line: string): string {
  const bare = line
    .replace(arduino, '')
    .replace(idf, '')
    .replace(esphome, '')
    .replace(tags, '')
    .replace(level, '')
    .replace(teleplot, '$1:$2 $3')
    .replace(/^>(?=[A-Za-z])/, '')
    .replace(/^\/\*(.+)\*\/$/, '$1')
    .replace(/^b?'([[{].*[\]}])(?:\\[rn])*'$/, '$1')
    .replace(/^<([^<>]+)>$/, '$1')
    .replace(/^\(([^()]+)\)$/, '$1')
  const [, name, state] = sending.exec(bare) ?? []
  return name === undefined ? bare : `${name}: ${state}`
}

/** True for what a board says when it starts, or dies: its registers are no measurements. */
export function isBoot(line: string): boolean {
  return boot.test(line) || dump.test(line)
}

const escapes = 0x1b
const startOfText = 0x02
const endOfText = 0x03
const bracket = 0x5b
const arduino = /^\d{1,2}:\d\d:\d\d(?:\.\d{1,3})? -> /
const idf = /^[EWIDV] \(\d{1,10}\) /
const esphome = /^(?:\[[\d:.]{5,16}\])?\[[EWICDV]{1,2}\]\[[\w.:-]{1,40}\]: ?/
/** Name, when in milliseconds, value, unit, and how it is to be drawn. */
const teleplot = /^>([A-Za-z][^:;|§]*):(?:\d{10,13}:)?([^:;|§]+)(?:§([^|]*))?(?:\|.*)?$/
/** Not before more of a list, or nothing: then it is one. */
const tags = /^(?:\[[^\][{}"]*\]\s*)+(?=[^\s\][,;}])/
const level = /^(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR)(?: -|[:|])\s+(?=.*[=:{])/
const sending = /^'([^':=]{1,64})':? (?:Sending state|>>) (\S+(?: \S+)?)(?: with \d+ decimals.*)?$/
const boot =
  /^(?:ets [A-Z][a-z]{2} |rst:0x|configsip: |clk_drv:|mode:[A-Z]+, ?clock div|load:? ?0x[0-9a-f]{8},|entry 0x|ho \d+ tail \d|tail \d+$|chksum 0x|csum 0x|v[0-9a-f]{8}$|~ld$|ESP-ROM:|Build:[A-Z][a-z]{2} |SPIWP:0x|Saved PC:0x|invalid header: 0x)/
/** PC : 0x400d1234 PS : 0x00060030 of an ESP32; epc1=0x40201234 …, sp: 3ffffdf0 end: … of an ESP8266. */
const dump =
  /^(?:(?:[A-Z][A-Z0-9/]{1,8} *: 0x[0-9a-f]{8}\s*){1,4}|(?:\w{4,8}=0x[0-9a-f]{8}\s*){3,}|sp: [0-9a-f]{8} end: .*)$/
