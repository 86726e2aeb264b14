/**
 * True when a topic filter matches a topic (MQTT 5 §4.7): `+` is one level, a last `#` is the rest, and
 * neither in the first level matches a topic that begins with `$`.
 */
export function matches(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false
  }
  return wanted.length === levels.length
}

/** True when a filter may match more than the one topic that is spelled like it. */
export function isWild(filter: string): boolean {
  return filter.includes('+') || filter.includes('#')
}
