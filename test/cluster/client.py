# Workers with Python's redis, as test/cluster/clients.ts has them for other libraries.
#
#   python3 client.py PORT KEYS WORKERS     KEYS: separated by commas, each worker appends its number
#
# Standard input: a line for each phase that begins; at its end what each phase did is printed as JSON.

import json
import re
import sys
import threading

from redis.cluster import RedisCluster

port, keys, workers = int(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3])
client = RedisCluster(host="127.0.0.1", port=port, decode_responses=True)
lock = threading.Lock()
phases = []
over = threading.Event()


def did(error=None, wrong=False):
    with lock:
        tally = phases[-1]
        tally["operations"] += 1
        tally["wrong"] += wrong
        if error is not None:
            text = re.sub(r"[0-9]+", "#", f"{type(error).__name__}: {error}")
            tally["errors"][text] = tally["errors"].get(text, 0) + 1


def work(number):
    expected = {}
    turn = 0
    while not over.is_set():
        turn += 1
        key = f"{keys[turn % len(keys)]}python{number}"
        value = str(turn)
        try:
            client.set(key, value)
            expected[key] = {value}
            did()
        except Exception as error:
            expected.setdefault(key, {None}).add(value)
            did(error)
        other = f"{keys[turn * 7 % len(keys)]}python{number}"
        try:
            found = client.get(other) if turn % 2 else client.mget(other, f"{other}none")[0]
            wanted = expected.get(other, {None})
            expected[other] = {found}
            did(wrong=found not in wanted)
        except Exception as error:
            did(error)
        over.wait(0.005)


threads = [threading.Thread(target=work, args=(i,)) for i in range(workers)]
for line in sys.stdin:
    with lock:
        phases.append({"name": line.strip(), "operations": 0, "wrong": 0, "errors": {}})
    if len(phases) == 1:
        for thread in threads:
            thread.start()
over.set()
for thread in threads:
    thread.join()
print(json.dumps(phases))
