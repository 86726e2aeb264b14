/** Every field that AIS messages can bring. Details are for the bench. */
import { type Field, type Unit, uncheckedField } from '../../runtime/sense/driver.ts'

export const aisFields: Readonly<Record<string, Field>> = {
  mmsi: integer('who sends: ship, station, aid or craft'),
  type: integer('type of the message, 1 to 27'),
  time: text('its own UTC time (base stations), or when it was received (tag blocks), ISO 8601'),
  lat: number('latitude, north positive', 'lat'),
  lon: number('longitude, east positive', 'lon'),
  accuracy: truth('the position is within 10 m'),
  speed: number('speed over ground; 102.2 knots (aircraft: 1022) is that or more', 'm/s'),
  course: number('course over ground, true', 'deg'),
  heading: number('heading, true', 'deg'),
  turn: number('rate of turn, to starboard positive', 'deg/s'),
  turning: text('starboard or port: faster than 10° a minute, and no rate is known'),
  alt: number('altitude of an aircraft; 4094 is that or more', 'm'),
  status: integer('navigational status'),
  status_text: text('the same in words'),
  maneuver: integer('special manoeuvre: 1 none, 2 under way with one'),
  raim: truth('the receiver watches over its own integrity'),
  positioning: text('manual, estimated, inoperative: where there is no second'),
  imo: integer('IMO number of the ship'),
  callsign: text('call sign'),
  shipname: text('name of the ship'),
  shiptype: integer('type of ship and cargo'),
  shiptype_text: text('the same in words'),
  to_bow: number('from the antenna to the bow', 'm'),
  to_stern: number('from the antenna to the stern', 'm'),
  to_port: number('from the antenna to the port side', 'm'),
  to_starboard: number('from the antenna to the starboard side', 'm'),
  draught: number('draught; 25.5 is that or more', 'm'),
  destination: text('where the ship is bound'),
  eta: text('expected there: month-day, hour and minute UTC'),
  epfd: integer('type of the position fixing device'),
  epfd_text: text('the same in words'),
  mothership_mmsi: integer('whose auxiliary craft this is'),
  aid_type: integer('type of the aid to navigation'),
  aid_type_text: text('the same in words'),
  name: text('name of the aid'),
  off_position: truth('the aid is not where it should be'),
  virtual_aid: truth('there is no such thing on the water'),
  ...weatherFields(),
  own: truth("said by the receiver's own station (VDO)"),
  ...uncheckedField,
  repeat: detail(integer('how often it was repeated')),
  channel: detail(text('radio channel')),
  second: detail(integer('second of the UTC minute in which it was said')),
  part_num: detail(integer('part of message 24: 0 is A, 1 is B')),
  ais_version: detail(integer('version of the station')),
  dte: detail(integer('0: its terminal is ready')),
  vendorid: detail(text('maker of the station')),
  model: detail(integer('its model, by the maker')),
  serial: detail(integer('its serial number, by the maker')),
  regional: detail(integer('for regional use')),
  assigned: detail(truth('it reports as a station told it to')),
  cs: detail(truth('listens before it speaks (carrier sense)')),
  display: detail(truth('it has a display')),
  dsc: detail(truth('it has DSC')),
  band: detail(truth('it can use the whole marine band')),
  msg22: detail(truth('its channels may be managed')),
  gnss: detail(truth('the position is older than 5 s')),
  visgreater: detail(truth('visibility is more than its meter can tell')),
}

function weatherFields(): Record<string, Field> {
  return {
    observed: text('when the weather was measured: day of the month, hour and minute UTC'),
    wspeed: number('wind speed, mean of 10 minutes; 126 knots is that or more', 'm/s'),
    wgust: number('gusts', 'm/s'),
    wdir: number('direction the wind comes from', 'deg'),
    wgustdir: number('direction the gusts come from', 'deg'),
    temperature: number('air temperature', 'Cel'),
    humidity: number('relative humidity', '%RH'),
    dewpoint: number('dew point', 'Cel'),
    pressure: number('air pressure', 'Pa'),
    pressuretend: integer('pressure: 0 steady, 1 falling, 2 rising'),
    visibility: number('visibility', 'm'),
    waterlevel: number('water level against the chart datum', 'm'),
    leveltrend: integer('water level: 0 steady, 1 falling, 2 rising'),
    cspeed: number('current at the surface', 'm/s'),
    cdir: number('where it sets', 'deg'),
    cspeed2: number('current at the second level', 'm/s'),
    cdir2: number('where it sets', 'deg'),
    cdepth2: number('depth of the second level', 'm'),
    cspeed3: number('current at the third level', 'm/s'),
    cdir3: number('where it sets', 'deg'),
    cdepth3: number('depth of the third level', 'm'),
    waveheight: number('height of the waves', 'm'),
    waveperiod: number('their period', 's'),
    wavedir: number('direction they come from', 'deg'),
    swellheight: number('height of the swell', 'm'),
    swellperiod: number('its period', 's'),
    swelldir: number('direction it comes from', 'deg'),
    seastate: integer('Beaufort'),
    watertemp: number('water temperature', 'Cel'),
    preciptype: integer('1 rain, 2 thunderstorm, 3 freezing rain, 4 mixed, 5 snow'),
    salinity: number('salinity', '/1000'),
    ice: integer('0 none, 1 ice'),
  }
}

function number(title: string, unit: Unit): Field {
  return { title, type: 'number', unit }
}

function integer(title: string): Field {
  return { title, type: 'integer' }
}

function text(title: string): Field {
  return { title, type: 'text' }
}

function truth(title: string): Field {
  return { title, type: 'boolean' }
}

function detail(field: Field): Field {
  return { ...field, detail: true }
}
