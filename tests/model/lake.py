#!/usr/bin/env python3
"""An executable model of how a lake commits (lib/store/lake.c): writers that are killed or frozen at any step, readers beside them.

    lake.py [--runs N] [--seed S] [--break RULE]

Two pipelines store the numbers 0, 1, 2, … of their own; of each there may be several writers at once, of which
the older ones are thought dead. Everything a process does to the folder is one step, and between two steps
anybody may run, die or freeze. A reader must see of each pipeline the numbers below a position that a commit
had, each once; in the end all are there, each once, for who looks at the objects alone as well. --break leaves
one rule out, to show that the model notices:
  cas      a commit's number is made exclusively, by who read the one before
  highest  who has made a number looks at the highest: one so far behind that it may have been removed, and made
           anew, is taken back; one a little behind was read by who made the next
  publish  all of a commit is published before the next one is made
  view     what is not published yet is found through the commit
  stamp    of a pipeline that is known, later objects are passed over
  sweep    drafts are removed of the dead only, and after what commits name was published once more
"""
import argparse, random

KEPT = 2              # commits of a pipeline that are kept
GOAL = 60             # numbers of each pipeline


class Lake:
    def __init__(s):
        s.drafts, s.objects, s.commits, s.clock, s.wrong = {}, {}, {'p': {}, 'q': {}}, 0, []

    def newest(s, pipe):
        """(number, commit) in two steps; what was removed in between is looked for anew."""
        while True:
            number = max(s.commits[pipe], default=0)
            yield
            if number == 0:
                return 0, dict(pos=0, stamp=0, objects=[])
            if number in s.commits[pipe]:
                return number, s.commits[pipe][number]

    def publish(s, commit):
        for draft, name in commit['objects']:
            yield
            if draft in s.drafts:
                s.objects[name] = s.drafts.pop(draft)


class Process:
    def __init__(p, lake, broken):
        p.lake, p.broken, p.frozen, p.alive = lake, broken, 0, True
        p.steps = p.run()

    def step(p):
        if p.frozen > 0:
            p.frozen -= 1
        elif p.alive:
            try:
                next(p.steps)
            except StopIteration:
                p.alive = False


class Writer(Process):
    def __init__(p, lake, broken, pipe, world):
        p.pipe, p.world, p.count = pipe, world, 0
        super().__init__(lake, broken)

    def sweep(p):
        dead = [draft for draft in p.lake.drafts                # whose lock is free
                if 'sweep' in p.broken or not draft[0].alive]
        if dead and 'sweep' not in p.broken:
            yield from p.publish_left()
        for draft in dead:
            yield
            p.lake.drafts.pop(draft, None)

    def publish_left(p):
        for pipe in [] if 'publish' in p.broken else p.lake.commits:
            _, commit = yield from p.lake.newest(pipe)
            yield from p.lake.publish(commit)

    def run(p):
        lake = p.lake
        yield from p.publish_left()
        yield from p.sweep()
        _, commit = yield from lake.newest(p.pipe)              # --resume: where does it stand?
        at = commit['pos']
        while at < GOAL:
            to = min(GOAL, at + random.randint(1, 9))
            mine = []
            for part in range(random.randint(1, 3)):            # prepare
                yield
                p.count += 1
                lake.drafts[(p, p.count)] = [n for n in range(at, to) if n % 3 == part]
                mine.append((p, p.count))
            for n in range(at, to):                             # what no part took goes to the last one
                if n % 3 >= len(mine):
                    lake.drafts[mine[-1]].append(n)
            number, commit = yield from lake.newest(p.pipe)     # compare …
            if commit['pos'] != at and 'cas' not in p.broken:
                return
            if 'publish' not in p.broken:
                yield from lake.publish(commit)
            lake.clock += random.randint(0, 2)                  # a clock that may stand still
            stamp = max(lake.clock, commit['stamp'] + 1)
            new = dict(pos=to, stamp=stamp,
                       objects=[(d, (p.pipe, stamp, part)) for part, d in enumerate(mine)])
            yield
            if number + 1 in lake.commits[p.pipe] and 'cas' not in p.broken:
                return                                          # … and swap: somebody else has
            lake.commits[p.pipe][number + 1] = new
            if 'highest' not in p.broken:
                yield
                if max(lake.commits[p.pipe]) >= number + 1 + KEPT:
                    lake.commits[p.pipe].pop(number + 1, None)
                    return
            yield
            for old in [n for n in lake.commits[p.pipe] if n <= number + 1 - KEPT]:
                del lake.commits[p.pipe][old]
            yield from lake.publish(new)
            at = to


class Reader(Process):
    def run(p):
        lake, known, seen = p.lake, {}, {}
        for pipe in lake.commits:
            _, known[pipe] = yield from lake.newest(pipe)
            if 'view' not in p.broken:
                seen.update({name: draft for draft, name in known[pipe]['objects']})
        for pipe in lake.commits:
            yield
            for name in list(lake.objects):
                if name[0] == pipe and ('stamp' in p.broken or name[1] <= known[pipe]['stamp']):
                    seen.setdefault(name, None)
        rows = {pipe: [] for pipe in lake.commits}
        for name, draft in seen.items():
            yield
            found = lake.objects.get(name)
            if found is None and draft:
                yield
                found = lake.drafts.get(draft)
                if found is None:
                    yield
                    found = lake.objects.get(name)
            rows[name[0]] += found if found is not None else ['gone']
        for pipe, got in rows.items():
            if sorted(got, key=str) != sorted(range(known[pipe]['pos']), key=str):
                lake.wrong.append((pipe, known[pipe]['pos'], got))


class World:
    def __init__(w, broken):
        w.broken, w.lake, w.ghosts = broken, Lake(), []
        w.current = {pipe: Writer(w.lake, broken, pipe, w) for pipe in w.lake.commits}
        w.readers = [Reader(w.lake, broken) for _ in range(2)]

    def run(w):
        for step in range(60000):
            chaos = step < 3000
            everybody = list(w.current.values()) + w.ghosts + w.readers
            who = random.choice(everybody)
            if chaos and random.random() < .01:
                who.alive = False                               # kill -9
            if chaos and random.random() < .01:
                who.frozen = random.randint(20, 400)            # thought dead, and wakes later
            if not who.alive and who in w.ghosts:
                w.ghosts.remove(who)
            for pipe, writer in w.current.items():
                if not writer.alive or (chaos and writer.frozen and random.random() < .02):
                    w.ghosts.append(writer)
                    w.current[pipe] = Writer(w.lake, w.broken, pipe, w)
            w.readers = [r if r.alive else Reader(w.lake, w.broken) for r in w.readers]
            who.step()
            if not chaos and not w.ghosts and step % 50 == 0 and all(
                    c and c[max(c)]['pos'] == GOAL for c in w.lake.commits.values()):
                break
        for pipe in w.lake.commits:                             # a last one begins, and finds nothing to do
            for _ in Writer(w.lake, w.broken, pipe, w).steps:
                pass
        for pipe in w.lake.commits:
            raw = [n for name, rows in w.lake.objects.items() if name[0] == pipe for n in rows]
            if sorted(raw) != list(range(GOAL)):
                w.lake.wrong.append((pipe, 'in the end', raw))
        return not w.lake.wrong


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--runs', type=int, default=300); a.add_argument('--seed', type=int, default=1)
    a.add_argument('--break', dest='broken', default='', help='cas, highest, publish, view, stamp, sweep')
    o = a.parse_args(); wrong = 0
    for n in range(o.runs):
        random.seed(o.seed * 1000003 + n)
        w = World(set(filter(None, o.broken.split(','))))
        if not w.run():
            wrong += 1
            if not o.broken and wrong == 1:
                print(f'run {n}: {w.lake.wrong[0]}')
    print(f'{o.runs} runs, {wrong} wrong' + (f' (without: {o.broken})' if o.broken else ''))
    raise SystemExit(bool(wrong) and not o.broken)


main()
