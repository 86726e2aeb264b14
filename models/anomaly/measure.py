"""How well a scorer finds the labelled anomalies: the windows and the scoring rule of the Numenta benchmark."""
import csv
import datetime
import json
import math

import numpy as np


def load(folder, name):
    """Times (s), values, windows as index ranges [first, last], and where scoring begins (NAB: 15 %, at most 750)."""
    case = next(c for c in json.loads((folder / 'cases.json').read_text()) if c['name'] == name)
    rows = list(csv.reader((folder / case['input_file']).open()))[1:]
    when = np.array([seconds(t) for t, _ in rows])
    value = np.array([float(v) for _, v in rows])
    spans = [[seconds(a), seconds(b)] for a, b in case['expect']['windows']]
    windows = [(int(np.flatnonzero(when >= a)[0]), int(np.flatnonzero(when <= b)[-1])) for a, b in spans]
    return {'name': name, 'when': when, 'value': value, 'windows': windows,
            'from': min(len(value) * 15 // 100, 750)}


def seconds(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()


def starts(when, gap_ratio, gap_after, most):
    """For each reading, where its window begins: anew after a gap, never more than `most` readings."""
    begin, out = 0, []
    for i, t in enumerate(when):
        held = i - begin
        first = max(begin, i - most)
        if held >= gap_after:
            count = i - first
            mean = (when[i - 1] - when[first]) / (count - 1)
            if t - when[i - 1] > gap_ratio * mean:
                begin = i
        out.append(max(begin, i - most + 1))
    return out


def sigmoid(y):
    return -1.0 if y > 3 else 2 / (1 + math.exp(5 * y)) - 1


def nab(series, alarms, weight=0.11):
    """Raw NAB score (standard profile: A_TP 1, A_FP 0.11, A_FN 1) of alarms: arrays of booleans. Returns it and the best."""
    total, count = 0.0, 0
    for s, alarm in zip(series, alarms):
        best = [None] * len(s['windows'])
        count += len(best)
        last = None
        for i in np.flatnonzero(alarm):
            if i < s['from']:
                continue
            inside = next((k for k, (a, b) in enumerate(s['windows']) if a <= i <= b), None)
            if inside is not None:
                a, b = s['windows'][inside]
                gain = sigmoid(-(b - i + 1) / (b - a + 1)) / sigmoid(-1.0)
                best[inside] = gain if best[inside] is None else max(best[inside], gain)
                continue
            past = [(a, b) for a, b in s['windows'] if b < i]
            if not past:
                total -= weight
                continue
            a, b = past[-1]
            total += weight * sigmoid((i - b) / max(1, b - a))
        total += sum(-1.0 if gain is None else gain for gain in best)
    return total, count


def events(series, alarms, apart=24):
    """Alarms less than `apart` readings after one another are one event. True when it touches a window."""
    hit = missed = false = 0
    for s, alarm in zip(series, alarms):
        at = [i for i in np.flatnonzero(alarm) if i >= s['from']]
        groups = []
        for i in at:
            if groups and i - groups[-1][1] < apart:
                groups[-1][1] = i
            else:
                groups.append([i, i])
        touched = [any(a <= i <= b for i in at) for a, b in s['windows']]
        hit += sum(touched)
        missed += len(touched) - sum(touched)
        false += sum(not any(f <= b and l >= a for a, b in s['windows']) for f, l in groups)
    return hit, missed, false


def figures(series, scores, threshold):
    """The card's row for one scorer: NAB score 0 (silent) to 100 (perfect), recall of windows, precision of events."""
    alarms = [s >= threshold for s in scores]
    raw, count = nab(series, alarms)
    hit, missed, false = events(series, alarms)
    precision = hit / (hit + false) if hit + false else 0.0
    recall = hit / count if count else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hit else 0.0
    return {'nab': round(100 * (raw + count) / max(1, 2 * count), 1), 'windows': count, 'found': hit,
            'falseAlarms': false, 'precision': round(precision, 3), 'recall': round(recall, 3), 'f1': round(f1, 3)}
