"""Hosts of their own on this machine: network namespaces (network_namespaces(7)) on a bridge. Nothing of it outlives us."""
import os, pathlib, shutil, subprocess, time

from .machine import CannotRun

BRIDGE, PREFIX = "bridge0", "10.77.0"


class NotAllowed(CannotRun):
    """This machine gives us no network namespaces."""


class Host:
    """A network and a name of its own, held by a process that does nothing else."""

    def __init__(self, network, name, number):
        self.network, self.name, self.address = network, name, f"{PREFIX}.{number}"
        self.holder = network.processes.spawn(f"net-{name}", ["unshare", "--net", "--uts", "sleep", "infinity"])
        self.path = f"/proc/{self.holder.pid}/ns"
        own = os.readlink("/proc/self/ns/uts")
        for _ in range(500):
            try:
                if os.readlink(f"{self.path}/uts") != own and os.readlink(f"{self.path}/net") != os.readlink("/proc/self/ns/net"):
                    break
            except OSError:
                pass
            if self.holder.poll() is not None:
                words = network.processes.last_words(f"net-{name}")
                raise NotAllowed(f"no network namespace can be made here (unshare: {words}): run as root")
            time.sleep(0.01)
        self("hostname", name)
        self("ip", "link", "set", "lo", "up")

    def inside(self, command):
        """The command as it is run on this host."""
        return ["nsenter", f"--net={self.path}/net", f"--uts={self.path}/uts", "--", *map(str, command)]

    def __call__(self, *command):
        """Throws NotAllowed."""
        done = subprocess.run(self.inside(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise NotAllowed(f"{' '.join(command)}: {done.stdout.strip()}")


class Network:
    """A hub, on which the servers are, and hosts that reach it by a bridge."""

    def __init__(self, processes, names):
        for program, package in (("ip", "iproute2"), ("nsenter", "util-linux"), ("unshare", "util-linux")):
            if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
                raise NotAllowed(f"{program} is missing: apt-get install {package}")
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        self.processes = processes
        self.hub = Host(self, "hub", 254)
        self.hub("ip", "link", "add", BRIDGE, "type", "bridge")
        self.hub("ip", "addr", "add", f"{self.hub.address}/24", "dev", BRIDGE)
        self.hub("ip", "link", "set", BRIDGE, "up")
        self.hosts = {}
        for number, name in enumerate(names, 1):
            host = self.hosts[name] = Host(self, name, number)
            self.hub("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(host.holder.pid))
            self.hub("ip", "link", "set", name, "up")
            self.connect(name)
            host("ip", "addr", "add", f"{host.address}/24", "dev", "eth0")
            host("ip", "link", "set", "eth0", "up")

    def cut(self, name):
        """Nothing reaches the host and nothing leaves it, and nobody is told."""
        self.hub("ip", "link", "set", name, "nomaster")

    def connect(self, name):
        self.hub("ip", "link", "set", name, "master", BRIDGE)
