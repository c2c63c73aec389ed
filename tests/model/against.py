#!/usr/bin/env python3
"""fl-load held against the model of the marks protocol (marks.py): random streams, cut, stale, repeated.

    against.py [--runs N] [--seed S]        fl-load and fl-fetch are found through PATH

Each run is one store and a series of streams as the head of a pipe would write them. A stream begins where
the store stands, or where it stood before (a copy that was left behind), or is cut at any byte (a killed
writer). What the model says of the outcome (status, position, rows) must be what fl-load does.
"""
import argparse, json, os, random, subprocess, sys, tempfile

ORIGIN = 'sim:model/1'


def record(n):
    ts = '2026-01-02T%02d:%02d:%02d.000Z' % (14 + n // 3600, n // 60 % 60, n % 60)
    return {'type': 'quote', 'ts': ts, 'provider': 'sim', 'symbol': 'ZZZA', 'price': 100 + n, 'seq': n}


def line(**members):
    return (json.dumps(members, separators=(',', ':')) + '\n').encode()


def mark(frm, to):
    at = {ORIGIN: [str(frm) if frm else None, str(to)]}
    return line(type='mark', pipeline='p', at=at, rt={ORIGIN: record(to)['ts']})


def stream(start, rng):
    """Lines, and what each mark commits: [(bytes up to and with the mark, position)]."""
    out, marks, pos = line(type='mark', pipeline='p', at={}, open=True, via=['model']), [], start
    for _ in range(rng.randint(0, 4)):
        to = pos + rng.randint(1, 5)
        for n in range(pos + 1, to + 1):
            out += line(**record(n))
            if rng.random() < .1:
                out += line(**record(n))               # a repeat within a batch replaces itself
        out += mark(pos, to)
        marks.append((len(out), to))
        pos = to
    return out + line(type='mark', pipeline='p', at={}, end=True), marks


def load(db, data, batch):
    argv = ['fl-load', '--stats', 'none', '--pipeline', 'p', *batch, db]
    run = subprocess.run(argv, input=data, stderr=subprocess.PIPE)
    return run.returncode, run.stderr.decode()


def held(db):
    """Position and rows of the store, through our own commands."""
    if not os.path.exists(db):
        return 0, []
    said = subprocess.run(['fl-load', '--positions', db, '--pipeline', 'p'], stdout=subprocess.PIPE, check=True)
    at = json.loads(said.stdout)['at'] if said.stdout.strip() else {}
    rows = subprocess.run(['fl-fetch', 'store', db, '--as', 'ndjson'], stdout=subprocess.PIPE, check=True)
    return int(at[ORIGIN][1]) if at else 0, [json.loads(x)['seq'] for x in rows.stdout.splitlines()]


def one(rng, db):
    pos, past = 0, [0]
    for step in range(rng.randint(1, 6)):
        start = pos if rng.random() < .7 else rng.choice(past)
        data, marks = stream(start, rng)
        whole = len(data)
        header = data.index(b'\n') + 1
        cut = rng.randint(header, whole) if rng.random() < .5 else whole
        batch = rng.choice([[], ['--batch', '1,1s'], ['--batch', '7,1s']])
        status, said = load(db, data[:cut], batch)
        done = [to for end, to in marks if end <= cut]
        if start != pos and done:
            want = 3                                   # somebody else has moved the position
        else:
            want = 0 if cut == whole else 3
            pos = done[-1] if done else pos
        got, rows = held(db)
        if (status, got, rows) != (want, pos, list(range(1, pos + 1))):
            print('step %d: from %d, cut %d of %d, %s: status %d, wanted %d; position %d, wanted %d; rows %s\n%s'
                  % (step, start, cut, whole, batch, status, want, got, pos, rows, said))
            return False
        past.append(pos)
    return True


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--runs', type=int, default=30)
    p.add_argument('--seed', type=int, default=1)
    o = p.parse_args()
    for i in range(o.runs):
        with tempfile.TemporaryDirectory() as folder:
            if not one(random.Random(o.seed * 100003 + i), os.path.join(folder, 'm.db')):
                print('run %d of seed %d differs from the model' % (i, o.seed))
                return 1
    print('%d runs agree' % o.runs)
    return 0


sys.exit(main())
