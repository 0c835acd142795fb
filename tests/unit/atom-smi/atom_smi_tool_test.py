#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""atom-smi as its user sees it, on machines made of files, and on the in-process device."""
import os
import re
import subprocess
import unittest

from fake_machine import (ADDRESS, FAILED, FDINFO, NO_DEVICE, NO_PERMISSION, OK, SCHEMA, UNHEALTHY, USAGE, Case)


class Status(Case):
    def test_shows_what_sysfs_tells(self):
        self.machine.load_module()
        self.machine.add_npu()
        status, out, _ = self.run_tool()
        self.assertEqual(status, OK)
        for text in (ADDRESS, "ATOM (emulator)", "accel0", "Gen4 x8", "76 C", "68.7 W", "P10", "512 MiB / 1.0 GiB",
                     "95%", "throttled (thermal)"):
            self.assertIn(text, out)

    def test_json_has_base_units_and_null_for_unknown(self):
        self.machine.add_npu()
        status, answer = self.run_json("status")
        device = answer["devices"][0]
        self.assertEqual(status, OK)
        self.assertEqual(device["power_uw"], 68700000)
        self.assertEqual(device["work"]["busy_compute_ns"], 5000)
        self.assertEqual(device["clocks"]["ne0_hz"], 10 ** 9)
        self.assertEqual(device["pci"]["link"], {"transfers_per_second": 16 * 10 ** 9, "width": 8})
        self.assertEqual(device["pci"]["bars"][2], {"index": 4, "bytes": 1 << 30})
        self.assertEqual(device["pci"]["bridges"], ["0000:00:01.0"])
        self.assertEqual(device["status"], "throttled")
        self.assertIsNone(device["uuid"])
        self.assertIsNone(device["pci"]["numa_node"])
        self.assertIsNone(device["errors"]["ecc_corrected"])

    def test_a_device_without_driver_or_given_up_is_unhealthy(self):
        self.machine.add_npu(driver="vfio-pci")
        status, answer = self.run_json()
        self.assertEqual((status, answer["devices"][0]["status"]), (UNHEALTHY, "no_driver"))
        driver = os.path.join(self.folder.name, f"sys/bus/pci/devices/{ADDRESS}/driver")
        os.remove(driver)
        os.symlink("../../../bus/pci/drivers/atom_npu", driver)
        self.machine.write(f"sys/bus/pci/devices/{ADDRESS}/state", "dead")
        status, answer = self.run_json()
        self.assertEqual((status, answer["devices"][0]["status"]), (UNHEALTHY, "dead"))

    def test_what_cannot_be_read_or_is_no_sensible_number_is_unknown(self):
        self.machine.add_npu(values={"clock/ne0_khz": str(2 ** 63 - 1), "current_link_speed": "1e300 GT/s PCIe",
                                     "memory/local_total": "-1", "hwmon/hwmon3/temp1_max": str(-2 ** 63)})
        os.remove(self.machine.attribute("pstate"))
        os.mkdir(self.machine.attribute("pstate"))  # opens and cannot be read, as that of a device which is gone
        status, answer = self.run_json("info")
        device = answer["devices"][0]
        self.assertEqual((status, device["temperature_mc"]), (OK, 76500))
        self.assertIsNone(device["pstate"])
        self.assertIsNone(device["clocks"]["ne0_hz"])
        self.assertIsNone(device["pci"]["link"]["transfers_per_second"])
        self.assertEqual(self.run_tool()[0], OK)

    def test_what_the_driver_says_steers_no_terminal(self):
        self.machine.add_npu(values={"platform": "\033[2J", "uuid": "a\tb", "fw_version": "\u00e9"})
        for command in ("status", "info", "topo"):
            self.assertRegex(self.run_tool(command)[1], r"^[ -~\n]*$", command)

    def test_no_device_is_a_sentence_and_status_3(self):
        status, out, err = self.run_tool()
        self.assertEqual((status, out), (NO_DEVICE, ""))
        self.assertRegex(err, r"^atom-smi: there is no ATOM NPU .*'atom-smi doctor' .*\n$")

    def test_a_device_is_chosen_by_each_of_its_names(self):
        self.machine.add_npu()
        for name in ("0", ADDRESS, "01:00.0", "accel0", "/dev/accel/accel0", "00000000deadbeef"):
            self.assertEqual(self.run_tool("--device", name)[0], OK, name)
        for name in ("1", "accel1", "dead"):
            self.assertEqual(self.run_tool("--device", name)[0], NO_DEVICE, name)


class Processes(Case):
    def test_shows_each_open_file_once(self):
        self.machine.add_npu()
        self.machine.add_client(4242, (3, 5), FDINFO)
        status, answer = self.run_json("ps")
        self.assertEqual((status, len(answer["clients"])), (OK, 1))
        client = answer["clients"][0]
        self.assertEqual((client["pid"], client["command"], client["context"]), (4242, "chat", 7))
        self.assertEqual(client["engine_ns"], {"npu": 250})
        self.assertEqual(client["memory_bytes"], {"local": 2 << 20, "memory": 4096, "shm": 0})
        self.assertRegex(self.run_tool("ps")[1], r"\b4242\b.* chat .*2\.0 MiB")

    def test_leaves_other_drivers_alone(self):
        self.machine.add_npu()
        self.machine.add_client(4242, (3,), FDINFO.replace("atom_npu", "amdxdna"))
        self.assertEqual(self.run_json("ps")[1]["clients"], [])

    def test_a_name_that_is_no_text_is_still_json_and_steers_no_terminal(self):
        self.machine.add_npu()
        self.machine.add_client(4242, (3,), FDINFO)
        with open(os.path.join(self.folder.name, "proc/4242/comm"), "wb") as f:
            f.write(b"\xff\x1b[2J\n")
        self.assertEqual(self.run_json("ps")[0], OK)
        self.assertIn(" ??[2J ", self.run_tool("ps")[1])


class Doctor(Case):
    def problems(self):
        status, answer = self.run_json("doctor")
        found = {c["check"]: c for c in answer["checks"] if c["result"] == "problem"}
        self.assertEqual(status, UNHEALTHY if found else OK)
        for check in found.values():
            self.assertTrue(check["fix"])
        return found

    def healthy(self):
        self.machine.load_module()
        self.machine.add_npu()
        self.machine.write("dev/accel/accel0", "")

    def test_finds_nothing_on_a_healthy_machine(self):
        self.healthy()
        self.assertEqual(self.problems(), {})

    def test_finds_that_programs_are_told_to_use_another_device(self):
        def check(device):
            return {c["check"]: c for c in self.run_json("doctor", device=device)[1]["checks"]}["ATOM_DEVICE"]
        self.assertEqual(check("model:2")["result"], "warning")
        self.assertIn("see 2 devices inside of their process", check("model:2")["what"])
        self.assertEqual(check("nonsense")["result"], "problem")
        self.assertIn("nonsense", check("nonsense")["what"])
        self.assertIn("unset ATOM_DEVICE", check("nonsense")["fix"])

    def test_finds_that_there_is_no_device(self):
        self.machine.load_module()
        self.assertEqual(set(self.problems()), {"device"})

    def test_finds_an_old_kernel_and_one_without_accel(self):
        self.machine.add_npu(driver=None)
        self.machine.write("dev/accel/accel0", "")
        self.machine.write("proc/sys/kernel/osrelease", "6.1.0-40-amd64")
        self.assertIn("older than 6.12", self.problems()["kernel"]["what"])
        # Headers of such a kernel would not help.
        self.assertEqual({"kernel"}, set(self.problems()))
        self.machine.write("proc/sys/kernel/osrelease", "6.12.9-cloud-amd64")
        self.machine.write("boot/config-6.12.9-cloud-amd64", "# CONFIG_DRM_ACCEL is not set")
        self.assertIn("cloud", self.problems()["kernel"]["fix"])
        self.assertEqual({"kernel"}, set(self.problems()))

    def test_tells_a_module_that_is_not_built_from_one_that_is_not_loaded(self):
        self.machine.add_npu(driver=None)
        self.assertIn("atom-dkms build", self.problems()["module"]["fix"])
        self.machine.write("lib/modules/6.12.9-amd64/updates/dkms/atom_npu.ko.xz", "")
        self.assertIn("modprobe", self.problems()["module"]["fix"])

    def test_finds_secure_boot(self):
        self.machine.add_npu(driver=None)
        self.machine.write("lib/modules/6.12.9-amd64/updates/dkms/atom_npu.ko", "")
        self.machine.write("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
                           "\x06\x00\x00\x00\x01")
        self.assertIn("mokutil --import", self.problems()["module"]["fix"])
        self.machine.write("var/lib/dkms/mok.pub", "a certificate")
        self.machine.write("sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23", "\x06 another one")
        self.assertIn("mokutil --import", self.problems()["module"]["fix"])
        self.machine.write("sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23", "\x06 a certificate")
        self.assertEqual("atom_npu is not loaded", self.problems()["module"]["what"])

    def test_knows_where_ubuntu_has_the_key(self):
        self.machine.add_npu(driver=None)
        self.machine.write("lib/modules/6.12.9-amd64/updates/dkms/atom_npu.ko", "")
        self.machine.write("sys/module/module/parameters/sig_enforce", "Y\n")
        self.machine.write("var/lib/shim-signed/mok/MOK.der", "a certificate")
        self.assertIn("mokutil --import /var/lib/shim-signed/mok/MOK.der && reboot", self.problems()["module"]["fix"])
        self.machine.write("sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23", "\x06 a certificate")
        self.assertEqual("atom_npu is not loaded", self.problems()["module"]["what"])

    def test_finds_a_kernel_that_was_told_to_refuse_unsigned_modules(self):
        self.machine.add_npu(driver=None)
        self.machine.write("lib/modules/6.12.9-amd64/updates/dkms/atom_npu.ko", "")
        self.machine.write("sys/module/module/parameters/sig_enforce", "N\n")
        self.assertNotIn("mokutil", self.problems()["module"]["fix"])
        self.machine.write("sys/module/module/parameters/sig_enforce", "Y\n")
        self.assertIn("mokutil --import", self.problems()["module"]["fix"])

    def test_finds_another_driver_and_a_dead_device(self):
        self.machine.load_module()
        self.machine.add_npu(driver="vfio-pci")
        self.assertIn("vfio-pci", self.problems()["driver"]["what"])

    def test_finds_missing_memory_for_a_bar(self):
        self.healthy()
        self.machine.write(f"sys/bus/pci/devices/{ADDRESS}/resource", "0x1000 0x10fff 0x1")
        self.assertIn("above 4G", self.problems()["BARs"]["fix"])

    def test_finds_a_missing_node(self):
        self.healthy()
        os.remove(os.path.join(self.folder.name, "dev/accel/accel0"))
        self.assertEqual(set(self.problems()), {"permission"})

    def test_warns_that_no_iommu_confines_the_device(self):
        self.healthy()
        found = {c["check"]: c["result"] for c in self.run_json("doctor")[1]["checks"]}
        self.assertEqual(found["IOMMU"], "warning")
        self.machine.link(f"sys/bus/pci/devices/{ADDRESS}/iommu_group", "../../../kernel/iommu_groups/12")
        found = {c["check"]: c["what"] for c in self.run_json("doctor")[1]["checks"]}
        self.assertIn("group 12", found["IOMMU"])

    def test_warns_of_a_slow_link(self):
        self.healthy()
        warnings = [c for c in self.run_json("doctor")[1]["checks"] if c["check"] == "link"]
        self.assertIn("Gen4 x8 of Gen5 x16", warnings[0]["what"])


class Topology(Case):
    def add(self, address, bridges, node, accel):
        self.machine.add_npu(address=address, bridges=bridges, accel=accel, values={"numa_node": node})

    def test_tells_what_lies_between_two_devices(self):
        self.add("0000:01:00.0", "0000:00:01.0/0000:02:00.0/0000:03:00.0", "0", "accel0")
        self.add("0000:01:01.0", "0000:00:01.0/0000:02:00.0/0000:03:01.0", "0", "accel1")
        self.add("0000:05:00.0", "0000:00:01.0/0000:04:00.0/0000:04:01.0", "0", "accel2")
        self.add("0000:06:00.0", "0000:00:02.0", "0", "accel3")
        self.add("0000:81:00.0", "0000:80:01.0", "1", "accel4")
        status, answer = self.run_json("topo")
        self.assertEqual(status, OK)
        found = {(p["a"], p["b"]): p["relation"] for p in answer["pairs"]}
        self.assertEqual([found[0, i] for i in range(1, 5)], ["PIX", "PXB", "NODE", "SYS"])
        self.assertIn("PIX: one PCIe switch", self.run_tool("topo")[1])


class Events(Case):
    def test_tells_what_went_wrong_since_the_driver_was_bound(self):
        self.machine.add_npu(values={"errors/job_faults": "3", "errors/device_resets": "1"})
        status, out, _ = self.run_tool("events")
        self.assertEqual((status, len(out.splitlines())), (OK, 2))
        self.assertRegex(out, ADDRESS + r"  job_fault: 3 times: ")

    def test_says_that_nothing_did(self):
        self.machine.add_npu()
        self.assertIn("Nothing went wrong", self.run_tool("events")[1])


class Metrics(Case):
    SAMPLE = re.compile(r'^(atom_[a-z0-9_]+)\{([a-z]+="([^"\\\n]|\\.)*",?)+\} -?[0-9.e+-]+$')

    def test_is_the_text_format_of_prometheus_in_base_units(self):
        self.machine.add_npu(values={"errors/job_faults": "3"})
        status, out, _ = self.run_tool("metrics")
        self.assertEqual(status, OK)
        families = []
        for line in out.splitlines():
            if line.startswith("# TYPE"):
                families.append(line.split()[2])
            elif not line.startswith("#"):
                self.assertEqual(self.SAMPLE.match(line)[1], families[-1], line)
        self.assertEqual(len(families), len(set(families)), "a family is in one piece")
        for line in (r"atom_power_watts\{.*\} 68.7", r"atom_temperature_celsius\{.*\} 76.5",
                     r'atom_memory_bytes\{.*,region="local"\} 1073741824', r'atom_jobs_failed_total\{.*"fault"\} 3'):
            self.assertRegex(out, f"(?m)^{line}$")
        self.assertNotIn("atom_energy_joules_total", out, "what is not known is left out")

    def test_escapes_what_is_in_labels(self):
        self.machine.add_npu(values={"uuid": 'a"b\\c'})
        self.assertIn(r'uuid="a\"b\\c"', self.run_tool("metrics")[1])

    def test_serves_this_machine_alone(self):
        self.machine.add_npu()
        for where in ("0.0.0.0:9500", "192.168.1.1:9500", "[::]:9500"):
            status, _, err = self.run_tool("metrics", "--listen", where)
            self.assertEqual(status, USAGE, where)
            self.assertIn("only addresses of this machine alone", err)
        self.assertEqual(self.run_tool("metrics", "--listen", "soup")[0], USAGE)


class Changes(Case):
    def read(self, name):
        with open(self.machine.attribute(name), encoding="utf-8") as f:
            return f.read()

    def test_set_writes_what_the_driver_has(self):
        self.machine.add_npu(values={"job_timeout_ms": "10000", "job_timeout_max_ms": "60000"})
        status, answer = self.run_json("set", "job-timeout", "2500")
        self.assertEqual(status, OK)
        self.assertTrue(self.read("job_timeout_ms").startswith("2500"))
        self.assertEqual({s["name"]: s["unit"] for s in answer["settings"]},
                         {"job-timeout": "ms", "job-timeout-max": "ms"})

    def test_set_says_what_is_wrong(self):
        self.machine.add_npu(values={"job_timeout_max_ms": "60000"})
        for args, status, text in ((("soup", "1"), USAGE, "job-timeout-max"), (("job-timeout",), USAGE, "to what"),
                                   (("job-timeout", "0"), USAGE, "above 0"), (("job-timeout", "5x"), USAGE, "5x"),
                                   (("job-timeout", "5"), FAILED, "does not have it")):
            got, _, err = self.run_tool("set", *args)
            self.assertEqual(got, status, args)
            self.assertIn(text, err)
        self.assertFalse(os.path.exists(self.machine.attribute("job_timeout_ms")))

    def test_reset_leaves_a_device_in_use_alone_unless_forced(self):
        self.machine.add_npu(values={"reset": "", "clients": "1"})
        status, _, err = self.run_tool("reset")
        self.assertEqual((status, self.read("reset")), (FAILED, "\n"))
        self.assertRegex(err, "1 open files .*--force")
        status, answer = self.run_json("reset", "--force")
        self.assertEqual((status, self.read("reset"), answer["status"]), (OK, "1", "throttled"))

    def test_of_several_devices_one_must_be_named(self):
        for command in ("reset", "set", "validate"):
            status, _, err = self.run_tool(command, device="model:2")
            self.assertEqual(status, USAGE)
            self.assertIn("--device", err)

    @unittest.skipIf(os.geteuid() != 0, "needs a user who may not write")
    def test_who_may_not_write_is_told_so(self):
        self.machine.add_npu(values={"job_timeout_ms": "10000"})
        os.chmod(self.folder.name, 0o755)
        call, environment = self.command("set", "job-timeout", "2500")
        p = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", *call], capture_output=True, timeout=60,
                           env=environment, check=False)
        self.assertEqual(p.returncode, NO_PERMISSION, p.stderr)
        self.assertIn(b"run it as root", p.stderr)


class Validation(Case):
    def test_a_sound_device_passes_each_test(self):
        status, answer = self.run_json("validate", "--quick", device="model")
        self.assertEqual((status, answer["passed"]), (OK, True))
        self.assertEqual([t["test"] for t in answer["tests"]],
                         ["memory", "window", "integers", "floats", "latency", "isolation", "telemetry"])

    def test_a_device_that_fails_a_job_does_not(self):
        status, answer = self.run_json("validate", "--quick", device="model,inject=kind=ecc-ue:after=2")
        self.assertEqual((status, answer["passed"]), (UNHEALTHY, False))
        self.assertIn(False, [t["passed"] for t in answer["tests"]])


class Completion(Case):
    def test_knows_commands_and_their_options(self):
        status, script, _ = self.run_tool("completion", "bash")
        self.assertEqual(status, OK)
        for words, word, expected in (("atom-smi", "me", "metrics"), ("atom-smi metrics", "--li", "--listen"),
                                      ("atom-smi events", "--fo", "--follow"), ("atom-smi", "--js", "--json")):
            line = f"{words} {word}".split()
            ask = f"{script}\nCOMP_WORDS=({' '.join(line)}); COMP_CWORD={len(line) - 1}; _atom_smi; echo ${{COMPREPLY[@]}}"
            out = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True).stdout
            self.assertEqual(out.split(), [expected], line)

    def test_other_shells_have_one_too(self):
        self.assertTrue(self.run_tool("completion", "zsh")[1].startswith("#compdef atom-smi"))
        self.assertIn("-a metrics", self.run_tool("completion", "fish")[1])
        self.assertEqual(self.run_tool("completion", "tcsh")[0], USAGE)


class Model(Case):
    def test_shows_the_in_process_devices(self):
        status, answer = self.run_json("status", device="model:2")
        self.assertEqual((status, [d["node"] for d in answer["devices"]]), (OK, ["model:0", "model:1"]))
        self.assertGreater(answer["devices"][0]["memory"]["local_bytes"], 0)

    def test_info_names_the_commands(self):
        status, answer = self.run_json("info", device="model")
        self.assertEqual(status, OK)
        self.assertIn("GEMM", answer["devices"][0]["abilities"]["opcodes"])

    def test_says_what_is_wrong_with_the_variable(self):
        status, _, err = self.run_tool(device="nonsense")
        self.assertEqual(status, USAGE)
        self.assertIn("ATOM_DEVICE=nonsense", err)


class Call(Case):
    def test_a_wrong_call_is_status_2(self):
        for args in (("soup",), ("--nonsense",), ("status", "ps"), ("--device",)):
            self.assertEqual(self.run_tool(*args)[0], USAGE, args)

    def test_every_command_is_in_the_manual(self):
        status, out, _ = self.run_tool("--help")
        self.assertEqual(status, OK)
        commands = re.findall(r"^  (\w+)  ", out.split("Subcommands:")[1], re.M)
        self.assertGreater(len(commands), 4)
        with open(os.path.join(os.path.dirname(SCHEMA), "..", "..", "man", "atom-smi.1"), encoding="utf-8") as f:
            manual = f.read()
        for command in commands:
            self.assertRegex(manual, rf"(?m)^\.It Cm {command}\b")

    def test_version_works_without_device(self):
        self.machine.load_module()
        status, answer = self.run_json("version")
        self.assertEqual((status, answer["driver_version"]), (OK, "1.0.0"))


if __name__ == "__main__":
    unittest.main()
