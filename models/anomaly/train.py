#!/usr/bin/env python3
"""Trains, measures and exports the anomaly detector beside this file.

    apt-get install -y python3-torch python3-numpy        (Debian 12: PyTorch 1.13)
    /usr/bin/python3 models/anomaly/train.py

Writes model.onnx and the "card" and "sha256" of model.json. Seeded, one thread, CPU: two runs on one
machine write the same bytes. What it does, and on which data, stands in README.md.
"""
import hashlib
import json
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from measure import figures, load, starts

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE / '../../test/captures/timeseries'
SEED = 20140201

# So many small networks learn side by side, each from its own resampling; the mean of their verdicts steadies it.
MEMBERS = 8

# The window: no verdict before LEAST readings, never more than MOST, anew after a gap of GAP_RATIO times
# the window's own mean interval (counted from the GAP_AFTER-th reading on). runtime/infer/window.ts has
# the same rules.
LEAST, MOST, GAP_RATIO, GAP_AFTER = 32, 256, 32.0, 8

# Split by series. Nothing of a TEST series is seen by the weights, the threshold or the baseline's threshold.
TRAIN = ('realKnownCause/machine_temperature_system_failure.csv',
         'artificialNoAnomaly/art_daily_small_noise.csv')
TEST = ('realTraffic/speed_6005.csv', 'realTraffic/occupancy_6005.csv',
        'artificialWithAnomaly/art_daily_jumpsup.csv', 'realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv')


class Detector(nn.Module):
    """A window [b, n] (n from 32 to 256, newest last) in; how odd its newest readings are, [b], 0 to 1, out.

    The features compare the tail of m readings with the rest of the same window, in units of that window's
    own spread, so that scale and offset of the series do not matter. A few small networks weigh them.
    """

    LEVELS, SHAPES, ROUGH = (1, 3, 8, 16), (4, 8), (1, 8, 16)

    def __init__(self):
        super().__init__()
        count = 4 * len(self.LEVELS) + 2 * len(self.SHAPES) + len(self.ROUGH) + 1
        self.shift = nn.Parameter(torch.zeros(count), requires_grad=False)
        self.scale = nn.Parameter(torch.ones(count), requires_grad=False)
        self.levels, self.rough = means(self.LEVELS), means(self.ROUGH)
        self.hidden, self.out = nn.Linear(count, MEMBERS * 32), nn.Linear(MEMBERS * 32, 1)

    def features(self, x):
        """[b, count]. Written for few, wide operators: a node of the graph costs more than its arithmetic."""
        rest = x[:, :-16]
        steps = (x[:, 1:] - x[:, :-1]).abs()
        step = steps[:, :-16].mean(1, keepdim=True) + 0.02
        middle = rest.mean(1, keepdim=True)
        off = rest - middle
        spread = (off * off).mean(1, keepdim=True).sqrt() + 0.02

        level = x[:, -16:] @ self.levels
        pasts = [F.avg_pool1d(x[:, None, :-m], m, 1) if m > 1 else x[:, None, :-1] for m in self.LEVELS]
        high = torch.cat([past.amax(2) for past in pasts], 1)
        low = torch.cat([past.amin(2) for past in pasts], 1)
        beyond = torch.maximum(level - high, low - level)
        distance = torch.cat([discord(x, m) for m in self.SHAPES], 1)
        rough = steps[:, -16:] @ self.rough + 0.02

        by_spread = torch.cat([beyond, (level - middle).abs(), distance], 1) / spread
        by_step = torch.cat([beyond, distance], 1) / step
        wide = torch.cat([by_spread, by_step, beyond / (high - low + 0.02)], 1)
        # Both tails compressed, so that a wild value is large and not infinite.
        odd = torch.sign(wide) * torch.log(wide.abs() + 1)
        return torch.cat([odd, torch.log(torch.cat([rough, spread], 1) / step)], 1)

    def weigh(self, x):
        """What the hidden layer says, [b, MEMBERS * 32]."""
        return torch.tanh(self.hidden((self.features(x) - self.shift) * self.scale))

    def logits(self, x):
        """[b, MEMBERS]: each member's own verdict, for training; their mean is the model's."""
        parts = (self.weigh(x) * self.out.weight[0]).reshape(len(x), MEMBERS, 32).sum(2)
        return parts * MEMBERS + self.out.bias

    def forward(self, x):
        return torch.sigmoid(self.out(self.weigh(x))[:, 0])


def means(lengths):
    """[16, k]: a row of 16 readings times this is the mean of its last m, for every m."""
    return torch.stack([torch.cat([torch.zeros(16 - m), torch.full((m,), 1 / m)]) for m in lengths], 1)


def discord(x, m):
    """[b, 1]: how far the last m readings are from the nearest earlier m (as matrix profiles say)."""
    tail = x[:, -m:].reshape(len(x), 1, m)
    past = x[:, :-m]
    energy = F.avg_pool1d((past * past)[:, None], m, 1) * m
    cross = F.conv1d(past[None], tail, groups=len(x)).reshape(len(x), 1, -1)
    nearest = (energy - 2 * cross).amin(2) + (tail * tail).sum(2)
    return torch.sqrt(F.relu(nearest) / m + 1e-8)


def standard(w):
    """As window.ts: mean 0, deviation 1, in doubles; a constant window is zeros."""
    mean = w.mean(-1, keepdims=True)
    deviation = w.std(-1, keepdims=True)
    flat = ~(deviation > 1e-12 * np.maximum(1e-300, np.abs(mean)))
    return np.where(flat, 0.0, (w - mean) / np.where(flat, 1.0, deviation)).astype(np.float32)


# ---- windows to learn from: ordinary ones of many kinds, half of them with something put into the tail

def ordinary(rng, n, real):
    """A window of an ordinary series, `n` long."""
    kind = rng.integers(0, 10)
    t = np.arange(n)
    if kind < 3:
        pool = real[rng.integers(len(real))]
        stride = 1 if len(pool) < 6 * n else rng.integers(1, 5)
        at = rng.integers(0, len(pool) - n * stride)
        return pool[at:at + n * stride:stride].copy()
    noise = rng.standard_t(rng.choice([3, 5, 30]), n) * 10 ** rng.uniform(-2.5, -0.3)
    if kind == 3:
        return noise
    if kind == 4:
        return np.cumsum(rng.normal(0, 1, n)) * 10 ** rng.uniform(-1, 0.3) / math.sqrt(n) + noise
    if kind == 5:
        a = rng.uniform(0.5, 0.99)
        v = np.zeros(n)
        for i in range(1, n):
            v[i] = a * v[i - 1] + rng.normal()
        return v + noise
    period = 10 ** rng.uniform(0.9, 2.7)
    phase = t / period + rng.uniform()
    if kind == 6:
        return np.sin(2 * np.pi * phase) + rng.uniform(0, .5) * np.sin(4 * np.pi * phase + rng.uniform(0, 6)) + noise
    if kind == 7:  # on by day, off by night
        return ((phase % 1) < rng.uniform(.2, .8)) * rng.uniform(.5, 4) + noise
    if kind == 8:  # idle with recurrent bursts
        v = np.abs(noise)
        for at in np.flatnonzero(rng.uniform(size=n) < rng.uniform(.01, .08)):
            v[at:at + rng.integers(1, 4)] += rng.uniform(.3, 1.0) * rng.choice([1, 1, 2])
        return v
    v = np.repeat(rng.normal(0, 1, n), rng.integers(2, 24))[:n] + noise  # coarse steps
    return np.round(v / .1) * .1


def disturb(rng, w):
    """Puts one oddity into the last 1 to 12 readings; returns the window."""
    n = len(w)
    k = int(rng.integers(1, 13))
    past = w[:-k]
    spread = max(past.std(), np.abs(np.diff(past)).mean(), 1e-6)
    span = max(past.max() - past.min(), spread)
    sign = rng.choice([-1, 1])
    out = w.copy()
    kind = rng.integers(0, 5)
    size = span * rng.uniform(.4, 2.5) + spread * rng.uniform(0, 2)
    if kind == 0:  # spike
        out[-min(k, 3):] = (past.max() if sign > 0 else past.min()) + sign * size
    elif kind == 1:  # level
        out[-k:] += sign * ((past.max() - out[-k:].min() if sign > 0 else out[-k:].max() - past.min()) + size * .7)
    elif kind == 2:  # ramp out of the range
        k = max(k, 5)
        edge = past.max() if sign > 0 else past.min()
        out[-k:] = np.linspace(out[-k - 1], edge + sign * size, k) + rng.normal(0, .2, k) * np.abs(np.diff(past)).mean()
    elif kind == 3:  # roughness
        k = max(k, 6)
        out[-k:] += rng.normal(0, 1, k) * (np.abs(np.diff(past)).mean() * rng.uniform(4, 10) + span * .3)
    else:  # the scale of the swing grows
        k = max(k, 4)
        out[-k:] = past.mean() + (out[-k:] - past.mean()) * rng.uniform(2.5, 5) + sign * span * rng.uniform(.4, 1.2)
    return out


def batch(rng, size, real):
    n = int(rng.integers(LEAST, MOST + 1))
    w = np.stack([ordinary(rng, n, real) for _ in range(size)])
    y = (rng.uniform(size=size) < .5).astype(np.float32)
    for i in np.flatnonzero(y):
        w[i] = disturb(rng, w[i])
    for i in np.flatnonzero(y == 0):  # an oddity that has long gone by is part of what is ordinary
        if n > 90 and rng.uniform() < .25:
            back = int(rng.integers(40, n - 40))
            w[i, :n - back] = disturb(rng, w[i, :n - back])
    return torch.from_numpy(standard(w)), torch.from_numpy(y)


def train(real, seed=SEED, steps=6000, size=96):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Detector()
    with torch.no_grad():
        seen = torch.cat([net.features(batch(rng, 256, real)[0]) for _ in range(16)])
        net.shift.copy_(seen.mean(0))
        net.scale.copy_(1 / (seen.std(0) + 1e-3))
    optimiser = torch.optim.Adam([*net.hidden.parameters(), *net.out.parameters()], lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        x, y = batch(rng, size, real)
        # A false alarm costs more than a late one: the tail stays odd for many readings.
        cost = torch.where(y > 0, 1.0, 4.0)[:, None] * torch.from_numpy(rng.poisson(1, (size, MEMBERS))).float()
        loss = F.binary_cross_entropy_with_logits(net.logits(x), y[:, None].expand(-1, MEMBERS), weight=cost)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 1000 == 0:
            print(f'step {step} loss {loss.item():.4f}', flush=True)
    return net.eval()


# ---- measuring: the same windows as on the device, over whole series

def windows(s):
    """Index and length of every window that is long enough, grouped by length."""
    by = {}
    for i, begin in enumerate(starts(s['when'], GAP_RATIO, GAP_AFTER, MOST)):
        if i - begin + 1 >= LEAST:
            by.setdefault(i - begin + 1, []).append(i)
    return by


def model_scores(net, s):
    out = np.zeros(len(s['value']))
    with torch.no_grad():
        for n, at in windows(s).items():
            for part in np.array_split(at, len(at) // 512 + 1):
                w = np.stack([s['value'][i - n + 1:i + 1] for i in part])
                out[part] = net(torch.from_numpy(standard(w))).numpy()
    return out


def z_scores(s):
    """The baseline: how many deviations the newest reading is off the mean of the rest of the same window."""
    out = np.zeros(len(s['value']))
    for n, at in windows(s).items():
        for i in at:
            rest = s['value'][i - n + 1:i]
            out[i] = abs(s['value'][i] - rest.mean()) / (rest.std() + 1e-9 * abs(rest.mean()) + 1e-12)
    return out


def compare(net):
    """The card: each scorer's threshold is the one with the best NAB score on the TRAIN series, of a fixed grid.

    `hindsight` is what the best threshold on the TEST series would have scored: an upper bound, used for nothing.
    """
    card = {}
    grids = {'model': (model_scores_of(net), [round(.5 + .05 * k, 2) for k in range(10)]),
             'baseline': (z_scores, [2 + .5 * k for k in range(27)])}
    for name, (score, grid) in grids.items():
        seen = {split: [load(DATA, n) for n in names] for split, names in (('train', TRAIN), ('test', TEST))}
        scores = {split: [score(s) for s in series] for split, series in seen.items()}
        best = max(grid, key=lambda t: figures(seen['train'], scores['train'], t)['nab'])
        hindsight = max(grid, key=lambda t: figures(seen['test'], scores['test'], t)['nab'])
        card[name] = {'threshold': best,
                      **{split: figures(seen[split], scores[split], best) for split in ('train', 'test')},
                      'hindsight': {'threshold': hindsight, **figures(seen['test'], scores['test'], hindsight)}}
    return card


def model_scores_of(net):
    return lambda s: model_scores(net, s)


def ordinary_stretches(series):
    """What of these series lies outside the labelled windows, in stretches long enough to cut windows from."""
    out = []
    for s in series:
        keep = np.ones(len(s['value']), bool)
        for a, b in s['windows']:
            keep[a:b + 1] = False
        edges = np.flatnonzero(np.diff(np.r_[0, keep, 0]))
        out += [s['value'][a:b] for a, b in zip(edges[::2], edges[1::2]) if b - a > 4 * MOST + 1]
    return out


def export(net):
    torch.onnx.export(net, torch.randn(1, 100), HERE / 'model.onnx', opset_version=17, input_names=['window'],
                      output_names=['score'], dynamic_axes={'window': {1: 'n'}})


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    net = train(ordinary_stretches([load(DATA, name) for name in TRAIN]))
    card = compare(net)
    export(net)
    path = HERE / 'model.json'
    manifest = json.loads(path.read_text())
    manifest['sha256'] = '0x' + hashlib.sha256((HERE / 'model.onnx').read_bytes()).hexdigest()
    manifest['outputs']['anomaly']['atLeast'] = card['model']['threshold']
    manifest['card'] = {'split': {'train': TRAIN, 'test': TEST}, **card}
    path.write_text(json.dumps(manifest, indent=2) + '\n')
    print(json.dumps(card, indent=2))


if __name__ == '__main__':
    main()
