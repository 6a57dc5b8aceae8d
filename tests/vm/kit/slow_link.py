#!/usr/bin/python3
"""Carries Ethernet frames between two devices that it makes, late and not all of them:
slow_link.py NEAR FAR DELAY_IN_MS LOSS. (The kernels of small machines have no netem.)"""

import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000


def make(name):
    device = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack('16sH', name.encode(), IFF_TAP | IFF_NO_PI))
    return device


near, far = make(sys.argv[1]), make(sys.argv[2])
delay, loss = float(sys.argv[3]) / 1000, float(sys.argv[4])
under_way = collections.deque()  # (when it is due, to which device, frame)
print('ready', flush=True)
while True:
    left = max(0, under_way[0][0] - time.monotonic()) if under_way else None
    for device in select.select([near, far], [], [], left)[0]:
        frame = os.read(device, 65536)
        if random.random() >= loss:
            under_way.append((time.monotonic() + delay, far if device == near else near, frame))
    while under_way and under_way[0][0] <= time.monotonic():
        _, device, frame = under_way.popleft()
        try:
            os.write(device, frame)
        except OSError:
            pass  # the device is not up yet
