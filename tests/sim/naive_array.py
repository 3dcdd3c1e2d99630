"""docs/numbers.md once more, as naively as possible: Python integers, one synapse at a time."""

from types import SimpleNamespace

import numpy as np

from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS
from synloom.contract.traces import TRACES, Side

MASK32 = 0xFFFFFFFF


def later(state, bits):
    """The 64 bits of the sequence that begin `bits` further on, one bit at a time."""
    for _ in range(bits):
        new = (state ^ state >> 12 ^ state >> 25 ^ state >> 31) & 1
        state = state >> 1 | new << 63
    return state


def number(state, position, bits):
    """The number of a position: the low bits of what begins there."""
    return later(state, bits * position) & (1 << bits) - 1


def bernoulli(word, r):
    """Whether a generator of mode 0 spikes, with its 30 random bits."""
    m, zeros = word & 0xFFF, 3 * min(7 - (word >> 12 & 7), 6)
    return word == 0x7FFF or (r & 0xFFF < m and r >> 12 & (1 << zeros) - 1 == 0)


def regular(word, phase, now):
    """Whether a generator of mode 1 spikes, and its next phase."""
    m, e = word & 0xFFF, 7 - (word >> 12 & 7)
    spikes = phase >= m
    if spikes:
        phase -= m
    if e <= 3:
        phase += 8 ** (3 - e)
    elif (now + 1) % 8 ** (e - 3) == 0:
        phase += 1
    return spikes, phase % 2**13


def dither(now, n):
    return (now * 0xB9A653A1 + n * 0x89A4A315) % 2**32


def decay(v, m, exponent, w):
    s = 16 + 4 * min(exponent, 4)
    a = abs(v)
    q = (a * m + w % 2**s) >> s
    if m == 0xFFFF and exponent == 0:
        q = a
    return (a - q) * (1 if v >= 0 else -1)


class NaiveArray:
    """State and tables are plain lists and dictionaries; a test fills them in."""

    def __init__(self, params: ArrayParams):
        self.p = params
        n, s = params.neurons, params.sources
        self.w = [[0] * n for _ in range(s)]
        self.acc = [[0] * n, [0] * n]
        self.v, self.ie, self.ii, self.theta, self.refr = ([0] * n for _ in range(5))
        self.count = [0] * n
        for trace in TRACES:
            setattr(self, trace.name, [0] * (s if trace.side is Side.SOURCE else n))
        self.wheel = [set() for _ in range(params.delay_slots)]
        self.forced = set()
        self.phase = [0] * 16 * params.input_words
        self.rates = [0] * 16 * params.input_words
        self.neurons, self.segments, self.sources, self.targets = [], [], [], []
        self.reg = SimpleNamespace()
        self.counters = dict.fromkeys(COUNTERS, 0)

    def load(self, array):
        """Take the contents of a `Contents`."""
        lists = {
            region: {name: np.asarray(values).tolist() for name, values in fields.items()}
            for region, fields in array.memories.items()
        }

        def records(region):
            columns = lists[region]
            rows = zip(*columns.values(), strict=True)
            return [dict(zip(columns, row, strict=True)) for row in rows]

        n, slots = self.p.neurons, self.p.delay_slots
        weights = lists[Region.WEIGHTS]["weight"]
        self.w = [weights[k : k + n] for k in range(0, len(weights), n)]
        self.neurons, self.segments = records(Region.NEURON_PARAMS), records(Region.PROGRAM)
        self.sources, self.targets = records(Region.SOURCE), records(Region.TARGET)
        for name, values in lists[Region.NEURON_STATE].items():
            setattr(self, name, values)
        for trace in TRACES:
            setattr(self, trace.name, lists[trace.region]["trace"])
        words = lists[Region.WHEEL]["ids"]
        for k, word in enumerate(words):
            slot, place = divmod(k, len(words) // slots)
            self.wheel[slot] |= {16 * place + bit for bit in range(16) if word >> bit & 1}
        if self.p.generators:
            rates = lists[Region.GEN_RATE]
            self.rates = [m | f << 12 | mode << 15 for m, f, mode in zip(*rates.values(), strict=True)]
            self.phase = lists[Region.GEN_PHASE]["phase"]
        if self.p.spike_counters:
            self.count = lists[Region.SPIKE_COUNTS]["count"]
        for name, register in CONTROL_REGISTERS.items():
            value = array.registers.get(name, register.at_first)
            if register.signed and value >> 15:
                value -= 1 << 16
            setattr(self.reg, name, value)

    def add(self, name, n=1):
        self.counters[name] += int(n)

    def sat(self, value, low, high, counter, counts=True):
        if counts and not low <= value <= high:
            self.add(counter)
        return min(max(value, low), high)

    def segments_of(self, first):
        for segment in self.segments[first:]:
            yield segment
            if segment["last"]:
                return

    def passes(self, name, first):
        for g in self.segments_of(first):
            self.add(name)
            self.add("chunks", max(-(-g["hi"] // self.p.lanes) - 16 * (g["lo"] // 16) // self.p.lanes, 0))
            yield g

    # ---- learning ------------------------------------------------------------------------------

    def update(self, w, trace, g, position):
        p = self.p
        diff = trace - g["t0"] % (1 << self.p.trace_bits)
        up = (diff > 0) != bool(g["a_negative"])
        a = g["a"]
        if g["reward"] and p.reward:
            a = min((a * abs(self.reg.reward)) >> 8, 65535)
            up = up != (self.reg.reward < 0)
        amount = (a * abs(diff)) >> (p.trace_bits - 4)
        if g["soft"] and p.soft_bounds:
            room = max(g["w_max"] - w, 0) if up else max(w - g["w_min"], 0)
            amount = (amount * room) >> (p.weight_bits - 1)
        r = 2048
        if g["stochastic"] and p.stochastic_rounding:
            r = number(self.reg.learn_rng, position, 12)
        d = (amount + r) >> 12
        return self.sat(w + d if up else w - d, g["w_min"], g["w_max"], "weight_clips")

    def use_numbers(self, g):
        """A stochastic segment has used its numbers, whole groups of 16."""
        if g["stochastic"] and self.p.stochastic_rounding and g["hi"] > g["lo"]:
            groups = -(-g["hi"] // 16) - g["lo"] // 16
            self.reg.learn_rng = later(self.reg.learn_rng, 12 * 16 * groups)

    def raise_traces(self, side, k, nearest):
        for trace in TRACES:
            if trace.side is side:
                values, one = getattr(self, trace.name), getattr(self.reg, trace.increment)
                total = one if nearest else values[k] + one
                values[k] = self.sat(total, 0, self.p.trace_max, "trace_saturations")

    # ---- one step ------------------------------------------------------------------------------

    def step(self):
        t = self.reg.now
        self.rows(self.active(t))
        self.reg.now = (t + 1) & MASK32
        fired = self.sweep()
        for each in TRACES:
            trace, word = getattr(self, each.name), getattr(self.reg, each.decay_list)
            if word >> 15:
                for g in self.segments_of(word & 255):
                    for k in range(g["lo"], g["hi"]):
                        trace[k] = decay(trace[k], g["a"], g["exponent"], dither(self.reg.now, 0))
        self.send(t, fired)
        self.columns(t, fired)
        self.add("steps")
        self.add("spikes", len(fired))
        return fired

    def active(self, t):
        p = self.p
        ids = {i for i in self.wheel[t % p.delay_slots] if i < p.sources}
        self.wheel[t % p.delay_slots] -= ids
        if p.generators and self.reg.gen_words:
            for i in range(16 * self.reg.gen_words):
                if self.rates[i] >> 15:
                    spikes, self.phase[i] = regular(self.rates[i], self.phase[i], t)
                else:
                    spikes = bernoulli(self.rates[i], self.reg.gen_rng & 0x3FFFFFFF)
                self.reg.gen_rng = later(self.reg.gen_rng, 30)
                if spikes and i < p.inputs:
                    ids.add(i)
        return sorted(i for i in ids if i < self.p.sources)

    def rows(self, active):
        for i in active:
            self.serve(i)

    def serve(self, i):
        p, source = self.p, self.sources[i]
        for g in self.passes("row_passes", source["list"]) if source["connected"] else ():
            learns = g["plastic"] and self.reg.mode & 1 and p.plasticity
            for j in range(g["lo"], g["hi"]):
                w = self.w[i][j]
                if w != p.weight_absent:
                    acc = self.acc[0 if w > 0 else 1]
                    total = acc[j] + (abs(w) << g["shift"])
                    acc[j] = self.sat(total, 0, p.accumulator_max, "acc_saturations")
                    if learns:
                        self.w[i][j] = self.update(w, self.y[j], g, j - 16 * (g["lo"] // 16))
            if learns:
                self.use_numbers(g)
        self.raise_traces(Side.SOURCE, i, source["nearest"])
        if p.axons and source["chained"]:
            if source["hop"] > 0:
                self.wheel[(self.reg.now + source["hop"]) % p.delay_slots].add(source["next"])
            elif source["next"] > i:
                self.serve(source["next"])

    def sweep(self):
        top, fired = self.p.state_max, []
        adapt = self.reg.mode >> 1 & 1
        for n in range(self.reg.sweep_count):
            f = self.neurons[n]
            e = self.sat(self.ie[n] + (self.acc[0][n] << f["g_e"]), 0, top, "state_saturations")
            i = self.sat(self.ii[n] + (self.acc[1][n] << f["g_i"]), 0, top, "state_saturations")
            ready = self.refr[n] == 0
            w = dither(self.reg.now, n)
            u = decay(self.v[n], f["dm"], f["exponent_m"], w) + e - i + f["bias"]
            moves = ready or f["integrate"] or n in self.forced
            u = self.sat(u, -top, top, "state_saturations", moves)
            self.ie[n] = decay(e, f["de"], f["exponent_e"], w)
            self.ii[n] = decay(i, f["di"], f["exponent_i"], w)
            if adapt:
                self.theta[n] = decay(self.theta[n], f.get("dth", 0), f.get("exponent_th", 0), w)
            if moves:
                self.v[n] = u
            self.refr[n] = max(self.refr[n] - 1, 0)
            if n in self.forced or (ready and u >= f["thr"] + self.theta[n]):
                fired.append(n)
                lowered = self.sat(u - f["reset"], -top, top, "state_saturations", f["subtract"])
                self.v[n] = lowered if f["subtract"] else f["reset"]
                self.refr[n] = f["refractory"]
                if adapt:
                    raised = self.theta[n] + f.get("th_step", 0)
                    self.theta[n] = self.sat(raised, 0, top, "state_saturations")
        self.forced = set()
        self.acc = [[0] * self.p.neurons, [0] * self.p.neurons]
        return fired

    def send(self, t, fired):
        p = self.p
        for j in fired:
            target = self.targets[j]
            if p.spike_counters:
                self.count[j] = min(self.count[j] + 1, 65535)
            if target["delay"]:
                self.wheel[(t + target["delay"]) % p.delay_slots].add(p.first_neuron_source + j)
            if p.dendritic_delays:
                self.wheel[(t + target["back"]) % p.delay_slots].add(p.sources + j)

    def columns(self, t, fired):
        p = self.p
        due = fired
        if p.dendritic_delays:
            slot = self.wheel[t % p.delay_slots]
            due = sorted(i - p.sources for i in slot if i >= p.sources)
            self.wheel[t % p.delay_slots] = {i for i in slot if i < p.sources}
        for j in due:
            target = self.targets[j]
            if target["learns"] and self.reg.mode & 1 and p.plasticity:
                for g in self.passes("column_passes", target["list"]):
                    if g["plastic"]:
                        for i in range(g["lo"], g["hi"]):
                            if self.w[i][j] != p.weight_absent:
                                position = i - 16 * (g["lo"] // 16)
                                self.w[i][j] = self.update(self.w[i][j], self.x[i], g, position)
                        self.use_numbers(g)
            self.raise_traces(Side.TARGET, j, target["nearest"])

    def event(self, id_):
        """An event that is due in the next step acts."""
        p, n = self.p, id_ - self.p.first_neuron_source
        if id_ < p.inputs:
            slot = self.wheel[self.reg.now % p.delay_slots]
            self.add("events_merged", id_ in slot)
            slot.add(id_)
        elif p.teaching and 0 <= n < self.reg.sweep_count:
            self.add("events_merged", n in self.forced)
            self.forced.add(n)
        elif p.teaching and 0x4000 <= id_ < 0x5000:
            for bit in (0, 1):
                if id_ >> 4 + bit & 1:
                    self.reg.mode = self.reg.mode & ~(1 << bit) | (id_ & 1 << bit)
        elif p.teaching and 0x5000 <= id_ < 0x7000:
            low, high = self.reg.reward & 0xFF, self.reg.reward >> 8 & 0xFF
            if id_ < 0x6000:
                low = id_ & 0xFF
            else:
                high = id_ & 0xFF
            self.reg.reward = low + 256 * (high - 256 if high >> 7 else high)
        else:
            self.add("events_invalid")
