#!/usr/bin/env python3
"""Two network namespaces with a slow line between them.

usage: latency.py NAME ROUND_TRIP_MS CARRIER

Makes the namespaces NAME-near (10.213.0.1) and NAME-far (10.213.0.2). Where the kernel has netem, a veth
pair with half the delay at each end joins them; elsewhere two tun devices do, and the program CARRIER
(`sundew-bench`) carries their packets half the round trip late. Prints how, and waits for the end of its
input; the namespaces go with it. Needs root and iproute2. Packets are delayed, never dropped or reordered.
"""
import fcntl
import os
import struct
import subprocess
import sys

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def ip(*words):
    subprocess.run(("ip",) + words, check=True)


def tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def up(space, device, number):
    ip("-n", space, "addr", "add", "10.213.0.%d/30" % number, "dev", device)
    # As large as on loopback, so that the line costs a packet and not a core.
    ip("-n", space, "link", "set", device, "mtu", "65000", "up", "txqueuelen", "10000")
    ip("-n", space, "link", "set", "lo", "up")


def netem(spaces, devices, delay_us):
    words = ("link", "add", devices[0], "type", "veth", "peer", "name", devices[1])
    if subprocess.run(("ip",) + words, stderr=subprocess.DEVNULL).returncode:
        return False
    for space, device in zip(spaces, devices):
        ip("link", "set", device, "netns", space)
        words = ("-n", space, "qdisc", "add", "dev", device, "root", "netem", "limit", "100000")
        words += ("delay", "%dus" % delay_us)
        if subprocess.run(("tc",) + words, stderr=subprocess.DEVNULL).returncode:
            ip("-n", spaces[0], "link", "del", devices[0])
            return False
    return True


def main():
    name, delay_us, carrier = sys.argv[1], int(float(sys.argv[2]) * 500), sys.argv[3]
    spaces = [name + "-near", name + "-far"]
    devices = [name[:10] + "1", name[:10] + "2"]
    child = None
    try:
        for space in spaces:
            ip("netns", "add", space)
        how = "netem"
        if not netem(spaces, devices, delay_us):
            how = "tun"
            ends = [tun(device) for device in devices]
            for space, device in zip(spaces, devices):
                ip("link", "set", device, "netns", space)
            words = [carrier, "carry", "--delay-us", str(delay_us)]
            child = subprocess.Popen(words, stdin=ends[0], stdout=ends[1])
        for number, (space, device) in enumerate(zip(spaces, devices), 1):
            up(space, device, number)
        print(how, flush=True)
        sys.stdin.read()
    finally:
        if child:
            child.kill()
            child.wait()
        for space in spaces:
            subprocess.run(("ip", "netns", "del", space), stderr=subprocess.DEVNULL)


main()
