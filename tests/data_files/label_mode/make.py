#!/usr/bin/env python3
"""Regenerates targets.csv beside it: the rules of label_mode.h in exact fractions, for chosen votes."""
import os
from fractions import Fraction

VOTES = """10,0,0,0,0,0,0,0,0,0  5,5,0,0,0,0,0,0,0,0  6,4,0,0,0,0,0,0,0,0  4,3,3,0,0,0,0,0,0,0
0,0,0,0,0,0,0,0,10,0  0,0,0,0,0,0,0,0,0,10  0,0,0,0,5,0,0,0,5,0  0,0,0,0,6,0,0,0,4,0
0,0,0,0,4,0,0,0,6,0  1,1,1,1,1,1,1,1,1,1  2,2,2,2,2,0,0,0,0,0  2,2,2,0,0,0,0,0,2,2
3,3,0,0,2,0,0,0,2,0  0,0,0,3,3,0,0,0,3,1  4,0,0,1,3,2,0,0,0,0  6,0,1,1,0,0,0,0,2,0
0,0,0,0,0,0,0,0,0,0  2,1,1,1,1,1,1,1,1,0  3,0,0,3,2,2,0,0,0,0  0,2,2,2,2,0,0,0,2,0
5,0,0,0,0,3,0,0,0,2  0,0,4,0,0,0,4,0,0,1  0,0,3,2,2,0,2,0,0,1  0,3,0,0,0,0,0,7,0,0
1,0,0,0,0,0,0,0,8,1  3,0,0,0,0,0,0,3,4,0  0,0,0,2,2,2,2,2,0,0  2,0,0,0,0,0,0,2,2,3
9,0,0,0,0,0,0,0,0,0  200,55,0,0,0,0,0,0,0,0  0,0,0,0,7,0,3,0,0,0  4,0,0,0,4,0,0,0,0,2"""


def sieve(votes):
    return [0 if v <= 1 else v for v in votes]


def finish(kept):
    if kept.index(max(kept)) >= 8:
        return None
    return [Fraction(k, sum(kept[:8])) for k in kept[:8]]


def majority(votes):
    v = sieve(votes)
    m = max(v)
    return finish([m if i == v.index(m) else 0 for i in range(10)]) if 2 * m > sum(v) else None


def soft(votes):
    v = sieve(votes)
    total, part, count, e, valid = sum(v), 0, 0, [0] * 10, True
    while 4 * part < 3 * total and count < 3 and valid:
        m = max(v)
        for i in [i for i in range(10) if v[i] == m]:
            e[i], v[i] = m, 0
            part, count = part + m, count + 1
            if i >= 8:
                valid = False
                if sum(e) > m:
                    e[i], count = 0, count - 1
                break
    return finish(e) if 2 * sum(e) > total and count <= 3 else None


def multi(votes):
    v = sieve(votes)
    e = [x if 10 * x >= 3 * sum(v) else 0 for x in v]
    t = finish(e) if 2 * sum(e) > sum(v) else None
    return t and [Fraction(1) if x > 0 else Fraction(1, 1000) for x in t]


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "targets.csv"), "w") as file:
    file.write("mode," + ",".join(f"v{i}" for i in range(10)) + ",status,"
               + ",".join(f"t{i}" for i in range(8)) + "\n")
    for name, rule in dict(majority=majority, probability=soft, crossentropy=soft,
                           multi_target=multi).items():
        for votes in VOTES.split():
            t = rule([int(v) for v in votes.split(",")])
            file.write(f"{name},{votes},{'keep' if t else 'drop'},"
                       + ",".join(f"{float(x):.9g}" for x in t or [0] * 8) + "\n")
