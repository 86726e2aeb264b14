/** What the maker calls the messages that are not read, for the person at the bench: class, then ids. */
const classes: Readonly<Record<number, readonly [string, Readonly<Record<number, string>>]>> = {
  1: [
    'NAV',
    {
      ...{ 1: 'POSECEF', 5: 'ATT', 9: 'ODO', 16: 'RESETODO', 17: 'VELECEF', 19: 'HPPOSECEF' },
      ...{ 22: 'PVAT', 32: 'TIMEGPS', 34: 'CLOCK', 35: 'TIMEGLO', 36: 'TIMEBDS', 37: 'TIMEGAL' },
      ...{
        38: 'TIMELS',
        39: 'TIMEQZSS',
        49: 'DGPS',
        50: 'SBAS',
        52: 'ORB',
        54: 'COV',
        57: 'GEOFENCE',
      },
      ...{ 59: 'SVIN', 60: 'RELPOSNED', 61: 'EELL', 64: 'EKFSTATUS', 66: 'SLAS', 67: 'SIG' },
      ...{ 96: 'AOPSTATUS', 97: 'EOE', 98: 'PL', 99: 'TIMENAVIC', 100: 'TIMETRUSTED' },
    },
  ],
  2: [
    'RXM',
    {
      ...{ 16: 'RAW', 17: 'SFRB', 19: 'SFRBX', 20: 'MEASX', 21: 'RAWX', 32: 'SVSI', 48: 'ALM' },
      ...{ 49: 'EPH', 50: 'RTCM', 51: 'SPARTN', 52: 'COR', 54: 'SPARTN-KEY', 65: 'PMREQ' },
      ...{ 89: 'RLM', 97: 'IMES', 114: 'PMP', 115: 'QZSSL6' },
    },
  ],
  4: ['INF', { 0: 'ERROR', 1: 'WARNING', 2: 'NOTICE', 3: 'TEST', 4: 'DEBUG' }],
  5: ['ACK', { 0: 'ACK-NAK', 1: 'ACK-ACK' }],
  6: [
    'CFG',
    {
      ...{ 0: 'PRT', 1: 'MSG', 2: 'INF', 4: 'RST', 6: 'DAT', 8: 'RATE', 9: 'CFG', 17: 'RXM' },
      ...{ 19: 'ANT', 22: 'SBAS', 23: 'NMEA', 27: 'USB', 30: 'ODO', 35: 'NAVX5', 36: 'NAV5' },
      ...{ 49: 'TP5', 50: 'PM', 52: 'RINV', 57: 'ITFM', 59: 'PM2', 61: 'TMODE2', 62: 'GNSS' },
      ...{
        71: 'LOGFILTER',
        86: 'ESFALG',
        87: 'PWR',
        92: 'HNR',
        96: 'ESRC',
        98: 'SMGR',
        105: 'GEOFENCE',
      },
      ...{ 112: 'DGNSS', 113: 'TMODE3', 132: 'FIXSEED', 133: 'DYNSEED', 134: 'PMS', 138: 'VALSET' },
      ...{ 139: 'VALGET', 140: 'VALDEL', 147: 'BATCH' },
    },
  ],
  9: ['UPD', { 20: 'SOS' }],
  10: [
    'MON',
    {
      ...{
        2: 'IO',
        6: 'MSGPP',
        7: 'RXBUF',
        8: 'TXBUF',
        9: 'HW',
        11: 'HW2',
        14: 'RXR',
        33: 'PATCH',
      },
      ...{
        39: 'SPT',
        40: 'GNSS',
        46: 'SMGR',
        49: 'SPAN',
        50: 'BATCH',
        54: 'COMMS',
        55: 'HW3',
        56: 'RF',
      },
      ...{ 57: 'SYS' },
    },
  ],
  11: ['AID', { 1: 'INI', 2: 'HUI', 48: 'ALM', 49: 'EPH', 51: 'AOP' }],
  12: ['DBG', {}],
  13: [
    'TIM',
    {
      1: 'TP',
      3: 'TM2',
      4: 'SVIN',
      6: 'VRFY',
      17: 'DOSC',
      18: 'TOS',
      19: 'SMEAS',
      22: 'VCOCAL',
      23: 'FCHG',
    },
  ],
  16: ['ESF', { 2: 'MEAS', 3: 'RAW', 16: 'STATUS', 20: 'ALG', 21: 'INS' }],
  19: [
    'MGA',
    {
      0: 'GPS',
      2: 'GAL',
      3: 'BDS',
      5: 'QZSS',
      6: 'GLO',
      32: 'ANO',
      33: 'FLASH',
      64: 'INI',
      96: 'ACK',
      128: 'DBD',
    },
  ],
  33: [
    'LOG',
    {
      3: 'ERASE',
      4: 'STRING',
      7: 'CREATE',
      8: 'INFO',
      9: 'RETRIEVE',
      11: 'RETRIEVEPOS',
      13: 'RETRIEVESTRING',
    },
  ],
  39: ['SEC', { 1: 'SIGN', 3: 'UNIQID', 9: 'SIG', 10: 'OSNMA', 16: 'SIGLOG' }],
  40: ['HNR', { 0: 'PVT', 1: 'ATT', 2: 'INS' }],
  41: ['NAV2', {}],
}

/** `NAV-CLOCK`; the id in hex where the table has no name. */
export function nameOf(group: number, id: number): string {
  const [name, ids] = classes[group] ?? [hex(group), {}]
  return `${name}-${ids[id] ?? hex(id)}`.replace('ACK-ACK-', 'ACK-')
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
