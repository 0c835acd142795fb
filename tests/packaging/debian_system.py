# SPDX-License-Identifier: MIT
"""A Debian system in a chroot (packaging/host/debian-system), changed by a test and thrown away; and packages for it."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

# Own mounts and processes, and no network: what apt installs comes from the repository or lies in its archive already.
_ENTER = r"""
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/scratch" "$work/root"
mount -t proc proc "$work/root/proc"
mount -t tmpfs tmpfs "$work/root/run"
mount -t tmpfs tmpfs "$work/root/tmp"
mount --bind /dev "$work/root/dev"
[ -z "$repository" ] || { mkdir -p "$work/root/srv/atom"; mount --bind "$repository" "$work/root/srv/atom"; }
cd "$work/root"
eval "$mounts"
exec chroot "$work/root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root \
    DEBIAN_FRONTEND=noninteractive INITRD=No bash -c "$script"
"""

# A machine with NPUs whose files are the system's as it is now.
_BOOT = r"""
mount -t overlay overlay -o "lowerdir=$work/upper:$base" "$work/root"
exec "$top/emulator/vm/atom-vm" --root "$work/root" --timeout 900 --memory 3072 "$@"
"""
# As systemd's units do when a machine starts: udev hears of all devices, and loads their drivers.
_START = """udevadm trigger --type=subsystems --action=add; udevadm trigger --type=devices --action=add; udevadm settle --timeout=120
"""


def output_of(*command):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Answer:
    def __init__(self, status, text):
        self.status = status
        self.text = text

    def sentences(self):
        """What atom-dkms said, a line each."""
        return [line.removeprefix("atom-dkms: ") for line in self.text.splitlines() if line.startswith("atom-dkms: ")]


class DebianSystem:
    def __init__(self, suite):
        self.base = Path(output_of(TOP / "packaging/host/debian-system", suite))
        self.work = Path(tempfile.mkdtemp(prefix="atom-system."))
        for folder in ("upper", "scratch", "root"):
            (self.work / folder).mkdir()
        self.repository = ""
        self.kernels = dict(line.split() for line in (self.base / "atom-kernels").read_text().splitlines())

    def copy(self):
        """Another one in the same state."""
        other = DebianSystem.__new__(DebianSystem)
        other.__dict__.update(self.__dict__, work=Path(tempfile.mkdtemp(prefix="atom-system.")))
        for name in ("scratch", "root"):
            (other.work / name).mkdir()
        # What overlayfs writes about removed files is in extended attributes and device nodes.
        subprocess.run(["cp", "-a", self.work / "upper", other.work], check=True)
        return other

    def close(self):
        shutil.rmtree(self.work)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def use(self, repository):
        """Packages come from this folder from now on."""
        self.repository = str(repository)
        self.run("echo 'deb [trusted=yes] file:/srv/atom ./' >/etc/apt/sources.list.d/atom.list; "
                 "apt-get update -qq -o APT::Get::List-Cleanup=0 -o Dir::Etc::sourcelist=sources.list.d/atom.list -o Dir::Etc::sourceparts=-")

    def run(self, script, *, status=0, mounts=""):
        """Runs it as root; @p mounts is run before, outside of the system but in its root folder."""
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "bash", "-euc", _ENTER], check=False, timeout=1800,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "base": str(self.base), "work": str(self.work), "script": script,
                 "repository": self.repository, "mounts": mounts},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if status is not None and done.returncode != status:
            raise AssertionError(f"{script}\nended with {done.returncode}:\n{done.stdout}")
        return Answer(done.returncode, done.stdout)

    def boot(self, kernel, script, *, append=(), device=(), qemu=(), status=0):
        """Boots it by its own kernel and runs the script there as root; nothing that is written stays."""
        options = [f"--append={argument}" for argument in append] + [f"--device-opt={each}" for each in device] + [
            f"--qemu-arg={argument}" for argument in qemu]
        done = subprocess.run(
            ["unshare", "--mount", "bash", "-euc", _BOOT, "-", "--kernel", kernel, *options, "--", "/bin/bash", "-c", _START + script],
            check=False, timeout=1200, env=dict(os.environ, base=str(self.base), work=str(self.work), top=str(TOP)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != status:
            raise AssertionError(f"{script}\nin the machine ended with {done.returncode}:\n{done.stdout}")
        return Answer(done.returncode, done.stdout)

    def install(self, *packages, **options):
        return self.run("apt-get install -qq --allow-downgrades " + " ".join(packages), **options)

    def files(self):
        """All of the system, but what apt and dpkg remember."""
        listing = self.run(r"find / -xdev \( -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache -o -path /var/log "
                           r"-o -path /srv -o -path /etc/apt -o -path '/etc/ld.so.cache' -o -path /root \) -prune -o -print").text
        return set(listing.splitlines())


def repository_of(folder):
    """Makes the packages in a folder one that apt can install from."""
    (folder / "Packages").write_text(output_of("bash", "-c", 'cd "$1" && dpkg-scanpackages --multiversion . 2>/dev/null', "-", folder) + "\n")
    return folder


def copy_of_packages(folder):
    """This checkout's packages, or those in the folder ATOM_PACKAGES."""
    packages = Path(os.environ.get("ATOM_PACKAGES") or output_of(TOP / "packaging/build-packages", "--print"))
    for package in packages.glob("*.deb"):
        if "-dbgsym_" not in package.name:
            shutil.copy(package, folder)
    return repository_of(folder)


def next_version(source, folder, version, change=lambda tree: None):
    """The same packages as another version of them; @p change may edit the driver's source."""
    for package in source.glob("*.deb"):
        tree = folder / "tree"
        subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
        old = re.search("^Version: (.*)$", (tree / "DEBIAN/control").read_text(), re.M)[1]
        upstream = version.split("-")[0]
        for path in [*(tree / "DEBIAN").iterdir(), *tree.glob("usr/sbin/*"), *tree.glob("usr/src/*/dkms.conf"),
                     *tree.glob("usr/src/*/atom_drv.c")]:
            path.write_text(path.read_text().replace(old, version).replace(old.split("-")[0], upstream))
        for driver in tree.glob("usr/src/*"):
            change(driver)
            driver.rename(driver.with_name(f"atom-{upstream}"))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, folder], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(tree)
    return repository_of(folder)
