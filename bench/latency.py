#!/usr/bin/env python3
"""Two network namespaces with a slow line between them, for benchmarks on kernels without netem.

usage: latency.py NAME ROUND_TRIP_MS -- COMMAND...

Makes the namespaces NAME-near (10.213.0.1) and NAME-far (10.213.0.2), each with a tun device, carries
packets between them half the round trip late, prints a line and runs COMMAND. The namespaces go with
it. Needs root and iproute2. Packets are delayed, never dropped or reordered.
"""
import collections
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
PACKET_BYTES = 65536


def tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def ip(*words):
    subprocess.run(("ip",) + words, check=True)


def carry(ends, delay, child):
    late = [collections.deque(), collections.deque()]
    while child.poll() is None:
        now = time.monotonic()
        wait = 0.2
        for side, queue in enumerate(late):
            while queue and queue[0][0] <= now:
                try:
                    os.write(ends[1 - side], queue.popleft()[1])
                except BlockingIOError:
                    pass
            if queue:
                wait = min(wait, queue[0][0] - now)
        ready, _, _ = select.select(ends, [], [], max(wait, 0))
        now = time.monotonic()
        for fd in ready:
            for _ in range(64):
                try:
                    packet = os.read(fd, PACKET_BYTES)
                except BlockingIOError:
                    break
                late[ends.index(fd)].append((now + delay, packet))
    return child.returncode


def main():
    name, round_trip, command = sys.argv[1], float(sys.argv[2]), sys.argv[4:]
    spaces = [name + "-near", name + "-far"]
    ends = []
    try:
        for number, space in enumerate(spaces, 1):
            device = "%s%d" % (name[:10], number)
            ends.append(tun(device))
            ip("netns", "add", space)
            ip("link", "set", device, "netns", space)
            ip("-n", space, "addr", "add", "10.213.0.%d/30" % number, "dev", device)
            ip("-n", space, "link", "set", device, "up", "txqueuelen", "10000")
            ip("-n", space, "link", "set", "lo", "up")
        child = subprocess.Popen(command)
        sys.exit(carry(ends, round_trip / 2000, child))
    finally:
        for space in spaces:
            subprocess.run(("ip", "netns", "del", space), stderr=subprocess.DEVNULL)


main()
