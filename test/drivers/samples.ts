/** What the tests that run over all drivers know of each. */
import { capture } from './bench.ts'

/** One intact frame of each driver. */
export const samples: Readonly<Record<string, Uint8Array>> = {
  plantower: Buffer.from('424d001c0015002400240014002100240dc8041f00e4000e00d400e09a000599', 'hex'),
  sds011: Buffer.from('aac0d4043a0aa1601dab', 'hex'),
  mhz19: Buffer.from('ff86026047000000d1', 'hex'),
  sps30: Buffer.from(
    '7e0003002840a78320411777bb414a5f8341548ddd41d2833e427d33fc85422617224229a4d9422a29bc3f55b7e79e7e',
    'hex',
  ),
  nmea0183: Buffer.from(
    '$GNGGA,104113.00,5327.03557,N,00214.42234,W,1,05,8.68,65.4,M,48.5,M,,*68\r\n',
  ),
  ais: Buffer.from('!AIVDM,1,1,,A,15MrVH0000KH<:V:NtBLoqFP2H9:,0*2F\r\n'),
  ubx: capture('ubx/pygpsdata-NAV.log').subarray(0, 100),
  // As the smart shunt of the captures sent it.
  vedirect: Buffer.from(
    '\r\nPID\t0xA389\r\nV\t12868\r\nVS\t-12\r\nI\t0\r\nP\t0\r\nCE\t0\r\nSOC\t1000\r\nTTG\t-1\r\nAlarm\tOFF\r\n' +
      'AR\t0\r\nBMV\tSmartShunt 500A/50mV\r\nFW\t0405\r\nChecksum\tK',
  ),
  modbus: Buffer.from('1103006b00037687', 'hex'),
  dsmr: capture('dsmr/TELEGRAM_UNPADDED_CRC.txt'),
  d0: Buffer.from('\x021.8.0(000285.4*kWh)\r\n!\r\n\x03q'),
  sml: capture('sml/smartmeter-obis-ttyUSB0-2.dump').subarray(0, 324),
  lines: Buffer.from('{"t":23.5,"h":40}\nt=23.5;h=40\n'),
}
