#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""pvsvpnctl metrics against show and stats, read by Prometheus' own parsers.

    metrics_compare.py NETNS       every sample has the value that show or stats has, in
                                   both formats; none is missing and none is too many

Prints the differences; exit status 1 if there is any. The last line is the number of samples.
"""
import json
import os
import subprocess
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

PROBLEMS = ("device-down", "no-outbound-sa", "outbound-sa-expired", "no-link", "no-route", "route-loop",
            "dead-peer", "no-inbound-sa", "inbound-sa-expired", "nothing-received")
# Seconds that may pass between two commands
LATE = 10
TRIES = 20
# Differences
SHOWN = 10


def ctl(netns, *words):
    """Output of pvsvpnctl."""
    command = [os.environ["PVSVPNCTL"], "-n", netns, *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def snapshot(netns):
    """Devices of show, and those of stats."""
    return [json.loads(ctl(netns, "-j", what))["devices"] for what in ("show", "stats")]


def still(devices):
    """Removes values that change by themselves."""
    if isinstance(devices, list):
        return [still(one) for one in devices]
    if isinstance(devices, dict):
        moves = ("age_ms", "use_age_ms", "last_rx_ms", "left")
        return {key: still(one) for key, one in devices.items() if key not in moves}
    return devices


def at_rest(netns):
    """(devices of show, of stats, metrics in both formats), with no change in between."""
    for _ in range(TRIES):
        before = snapshot(netns)
        texts = [ctl(netns, "metrics"), ctl(netns, "metrics", "format", "prometheus")]
        if still(snapshot(netns)) == still(before):
            return (*before, *texts)
    sys.exit("the counters do not come to rest")


class Expected(dict):
    """Samples by name and labels."""

    def put(self, name, labels, value, **more):
        """One sample; nothing if there is no value."""
        if value is not None:
            self[name, frozenset({**labels, **more}.items())] = value

    def traffic(self, scope, labels, counters):
        """Packets and bytes of a device or peer."""
        for ours, theirs in (("rx", "receive"), ("tx", "transmit")):
            for unit in ("packets", "bytes"):
                self.put(f"pvsvpn_{scope}_{theirs}_{unit}_total", labels,
                         counters[f"{ours}_{unit}"])

    def drops(self, scope, labels, counters, prefix=""):
        """One sample for each reason."""
        for reason, value in counters["drops"].items():
            if reason.startswith(prefix):
                self.put(f"pvsvpn_{scope}_dropped_packets_total", labels, value, reason=reason)

    def device(self, shown, counted):
        """A device and everything below it."""
        labels = {"device": shown["ifname"]}
        self.put("pvsvpn_device_info", labels, 1, fwmark=hex(shown["fwmark"]),
                 mtu_from="path" if shown["mtu_auto"] else "operator")
        self.put("pvsvpn_device_up", labels, shown["up"])
        self.put("pvsvpn_device_carrier", labels, shown["carrier"])
        self.put("pvsvpn_device_mtu_bytes", labels, shown["mtu"])
        self.traffic("device", labels, counted)
        self.drops("device", labels, counted)
        for peers in zip(shown["peers"], counted["peers"]):
            self.peer(labels, *peers)

    def peer(self, labels, shown, counted):
        """A peer and its SAs."""
        labels = {**labels, "peer": shown["name"]}
        local = {"local": shown["local"]} if shown["local"] else {}
        self.put("pvsvpn_peer_info", labels, 1, remote=shown["remote"], encap=shown["encap"],
                 **local)
        self.put("pvsvpn_peer_up", labels, shown["up"])
        for problem in PROBLEMS:
            self.put("pvsvpn_peer_problem", labels, problem in shown["problems"],
                     pvsvpn_peer_problem=problem)
        self.put("pvsvpn_peer_last_receive_age_seconds", labels, seconds(shown["last_rx_ms"]))
        self.put("pvsvpn_peer_path_mtu_bytes", labels, shown["path_mtu"])
        self.put("pvsvpn_peer_inner_mtu_bytes", labels, shown["inner_mtu"])
        self.traffic("peer", labels, counted)
        self.drops("peer", labels, counted)
        for sas in zip(shown["sas"], counted["sas"]):
            self.sa(labels, *sas)

    def sa(self, labels, shown, counted):
        """An SA."""
        labels = {**labels, "dir": shown["dir"], "spi": f"0x{shown['spi']:08x}"}
        out = shown["dir"] == "out"
        self.put("pvsvpn_sa_info", labels, 1, transform=shown["transform"],
                 driver=shown["driver"], esn="on" if shown["esn"] else "off")
        self.put("pvsvpn_sa_current", labels, shown["current"] if out else None)
        self.put("pvsvpn_sa_expired", labels, shown["expired"])
        self.put("pvsvpn_sa_age_seconds", labels, seconds(shown["age_ms"]))
        self.put("pvsvpn_sa_sequence_number", labels, shown["seq"])
        last = 2**32 - 1 if not shown["esn"] else 2**63 - 1 if out else 2**64 - 1
        self.put("pvsvpn_sa_sequence_used_ratio", labels, shown["seq"] / last)
        self.put("pvsvpn_sa_packets_total", labels, counted["packets"])
        self.put("pvsvpn_sa_bytes_total", labels, counted["bytes"])
        self.drops("sa", labels, counted, "tx_" if out else "rx_")
        for limit, left in shown["left"].items():
            kind, unit = limit.split("_", 1)
            since = {"seconds": "added", "use_seconds": "first_packet"}.get(unit)
            more = {"since": since} if since else {}
            self.put(f"pvsvpn_sa_lifetime_left_{unit.replace('use_', '')}", labels, left,
                     limit=kind, **more)


def seconds(milliseconds):
    """None stays None."""
    return None if milliseconds is None else milliseconds / 1000


def close(name, wanted, got):
    """True if only the time has advanced."""
    if name.endswith("_age_seconds"):
        return 0 <= got - wanted <= LATE
    if name == "pvsvpn_sa_lifetime_left_seconds":
        return -LATE <= got - wanted < 1 + LATE
    if name.endswith("_ratio"):
        return abs(got - wanted) <= 1e-8 * max(wanted, got)
    return got == wanted


def compare(what, expected, families):
    """Prints some of the differences; returns whether there are any."""
    found, wrong = {}, []
    for family in families:
        if not family.documentation:
            wrong.append(f"{family.name} has no help")
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            if key in found:
                wrong.append(f"twice: {sample}")
            found[key] = sample.value
    wrong += [f"missing: {key}" for key in expected.keys() - found.keys()]
    wrong += [f"too many: {key}" for key in found.keys() - expected.keys()]
    wrong += [f"{key} is {found[key]}, should be {expected[key]}"
              for key in expected.keys() & found.keys()
              if not close(key[0], expected[key], found[key])]
    for line in wrong[:SHOWN]:
        print(f"{what}: {line}")
    return bool(wrong)


def main():
    """Compares; exit status 1 on any difference."""
    shown, counted, new, old = at_rest(sys.argv[1])
    expected = Expected()
    for devices in zip(shown, counted):
        expected.device(*devices)
    differs = compare("openmetrics", expected, openmetrics(new))
    differs |= compare("prometheus", expected, prometheus(old))
    print(len(expected))
    sys.exit(differs)


if __name__ == "__main__":
    main()
