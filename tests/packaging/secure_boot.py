# SPDX-License-Identifier: MIT
"""A machine that starts by UEFI with secure boot on: its firmware checks the kernel's signature, the kernel those of modules."""
import json
import struct
import subprocess
import tempfile
import uuid
from pathlib import Path

from booting import HELLO
from debian_system import TOP, output_of
from installed_system import InstalledSystem

_FIRMWARE = TOP / "packaging/host/secure-boot"
# Whose variables the machine owner's keys are: shim's, which hands them to the kernel by this name.
_SHIM = uuid.UUID("605dab50-e046-4300-abb6-3dd810dd8b23")
_X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
_MOUNT = """exec 2>&1
mount -t efivarfs efivarfs /sys/firmware/efi/efivars; mount -t securityfs securityfs /sys/kernel/security
"""
_NON_VOLATILE, _BOOT_SERVICE, _RUNTIME = 1, 2, 4


def signer(image, folder):
    """The certificate that a kernel's signature carries, as a file in PEM: what the firmware has to trust."""
    image = image.read_bytes()
    header, = struct.unpack_from("<I", image, 0x3C)
    # The fifth data directory of a PE32+ image tells where the signature is; eight bytes before it are its own header.
    offset, size = struct.unpack_from("<II", image, header + 24 + 112 + 4 * 8)
    path = folder / "signer.pem"
    path.write_bytes(subprocess.run(["openssl", "pkcs7", "-inform", "der", "-print_certs"], check=True, stdout=subprocess.PIPE,
                                    input=image[offset + 8:offset + size]).stdout)
    return path


def machine_owner_keys(certificates, folder):
    """What shim tells the kernel when these certificates (in DER) are enrolled, as a file for virt-fw-vars."""
    lists = b"".join(_X509.bytes_le + struct.pack("<III", 28 + 16 + len(each), 0, 16 + len(each)) + _SHIM.bytes_le + each
                     for each in certificates)
    path = folder / "keys.json"
    path.write_text(json.dumps({"version": 2, "variables": [
        {"name": "MokListRT", "guid": str(_SHIM), "attr": _NON_VOLATILE | _BOOT_SERVICE | _RUNTIME, "data": lists.hex()}]}))
    return path


class SecureBoot(InstalledSystem):
    suite = "trixie"

    def setUp(self):
        super().setUp()
        self.add_users()
        self.kernel = self.kernels["first"]

    def boot(self, script, enrolled=()):
        """Starts the kernel as Debian signed it, by a firmware that trusts its signer."""
        image = self.system.base / f"boot/vmlinuz-{self.kernel}"
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            options = ["--add-db", str(_SHIM), signer(image, folder)]
            if enrolled:
                options += ["--set-json", machine_owner_keys(enrolled, folder)]
            subprocess.run([_FIRMWARE, "variables", folder / "variables.fd", *options], check=True)
            code = Path(output_of(_FIRMWARE)) / "code.fd"
            answer = self.system.boot(self.kernel, _MOUNT + script, qemu=[
                "-machine", "smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on",
                "-drive", f"if=pflash,unit=0,readonly=on,format=raw,file={code}",
                "-drive", f"if=pflash,unit=1,format=raw,file={folder}/variables.fd", "-kernel", image])
        return self.sections(answer.text)

    def test_the_enrolled_key_of_dkms_is_what_the_module_needs_to_be_loaded(self):
        key = (self.system.work / "upper/var/lib/dkms/mok.pub").read_bytes()
        said = self.boot(r"""
            echo "== state"; mokutil --sb-state; mokutil --test-key /var/lib/dkms/mok.pub; cat /sys/kernel/security/lockdown
            echo "== module"; cat /sys/module/atom_npu/version; cat /sys/module/atom_npu/taint
            echo "== atom-dkms"; atom-dkms build $(uname -r)
            echo "== hello"; su - user -c './hello && atom-smi doctor'; echo "user: $?"
            echo "== unsigned"; xz -dc /lib/modules/$(uname -r)/updates/dkms/atom_npu.ko.xz >/run/unsigned.ko
            strip --strip-debug /run/unsigned.ko; modprobe -r atom_npu; insmod /run/unsigned.ko; ls -d /sys/module/atom_npu
            echo "== unloaded"; su - user -c 'atom-smi doctor'
            true
            """, enrolled=[key])
        self.assertIn("SecureBoot enabled", said["state"])
        self.assertIn("is already enrolled", said["state"])
        self.assertIn("[integrity]", said["state"])
        self.assertEqual("1.0.0\nO\n", said["module"])
        self.assertEqual("", said["atom-dkms"])
        self.assertIn(HELLO, said["hello"])
        self.assertIn("user: 0\n", said["hello"])
        with self.subTest("it is the signature that counts"):
            self.assertIn("cannot access '/sys/module/atom_npu'", said["unsigned"])
        with self.subTest("a module that is not loaded is not one that is refused"):
            self.assertIn("atom_npu is not loaded", said["unloaded"])
            self.assertNotIn("not enrolled", said["unloaded"])

    def test_without_it_the_module_is_refused_and_all_who_are_asked_say_what_to_do(self):
        said = self.boot(r"""
            echo "== state"; mokutil --sb-state
            echo "== modprobe"; modprobe atom_npu; ls -d /sys/module/atom_npu
            echo "== atom-dkms"; atom-dkms build $(uname -r)
            echo "== doctor"; su - user -c 'atom-smi doctor'
            echo "== import"; printf 'secret\nsecret\n' | mokutil --import /var/lib/dkms/mok.pub; mokutil --list-new
            true
            """)
        self.assertIn("SecureBoot enabled", said["state"])
        self.assertIn("Key was rejected by service", said["modprobe"])
        self.assertIn("cannot access '/sys/module/atom_npu'", said["modprobe"])
        self.assertEqual("atom-dkms: secure boot will refuse the module until DKMS's key is enrolled: mokutil --import "
                         "/var/lib/dkms/mok.pub, then restart and confirm\n", said["atom-dkms"])
        self.assertEqual(1, said["doctor"].count("refuses modules whose key is not enrolled"), said["doctor"])
        with self.subTest("what they say to do"):
            self.assertIn("DKMS module signing key", said["import"])
