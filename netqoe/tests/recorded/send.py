"""Sends the events of README.md to a netqoe at a port, twice a minute of this process' clock, for some minutes."""

import json
import random
import sys
import time
import urllib.request

STEP_S = 30
FAULT_STEPS = 24
LATE_MS = 600_000

port, minutes = int(sys.argv[1]), int(sys.argv[2])
values = random.Random(7)
started = time.time()
number = 0


def post(events):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/events",
        json.dumps(events).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()


def event(client, target, step):
    global number
    number += 1
    hurt = step >= minutes * 2 - FAULT_STEPS and "shop" in target
    timings = {
        "dns_ms": 10 + values.randrange(5),
        "tcp_ms": 20 + values.randrange(5),
        "tls_ms": 30 + values.randrange(5),
        "ttfb_ms": (100 + values.randrange(20)) * (4 if hurt else 1),
    }
    fails = client == "lyon-2" and step % 17 == 16
    return {
        "event_id": f"e-{number}",
        "client_id": client,
        "ts_ms": int(time.time() * 1000),
        "target": target,
        "network_context": {"network_type": "wifi", "isp": "Example ISP"},
        "timing_measurements": {"dns_ms": 12} if fails else timings,
        "error_stage": "tcp" if fails else None,
    }


for step in range(minutes * 2):
    while time.time() < started + step * STEP_S:
        time.sleep(0.05)
    clients, targets = ("berlin-1", "lyon-2"), ("https://shop.example/", "https://mail.example/")
    events = [event(client, target, step) for client in clients for target in targets]
    if step == 10:
        late = dict(events[1], event_id="late", ts_ms=events[1]["ts_ms"] - LATE_MS)
        events += [events[0], late]
    post(events)
