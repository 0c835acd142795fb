# SPDX-License-Identifier: MIT
"""Figures of networks on pictures: ONNX Runtime with the plug-in against its CPU provider, on the host and in the machine."""

import json
import os
import statistics
import subprocess

PICTURES = {"classify": "coffee.png", "ocr": "page.png"}
NAMES = {"classify": "classify.image", "ocr": "ocr.page"}
# Pictures of one process: some tenths of a second, of which the first picture's preparations are little.
REPEATS = {"classify": 50, "ocr": 5}
ROUNDS = 7


class Samples:
    """Runs classify and ocr for their reports."""

    def __init__(self, top: str, build: str, machine: list):
        self._models = os.path.join(top, "packaging", "host", "models")
        self._programs = os.path.join(os.path.realpath(build), "samples")
        self._machine = machine

    def _folder(self, name: str) -> str:
        return subprocess.run([self._models, name], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout.strip()

    def _command(self, name: str, device: str, repeat: int) -> list:
        folder = self._folder(name)
        model = ["--model", os.path.join(folder, "efficientnet-lite0.onnx")] if name == "classify" else ["--models", folder]
        return [os.path.join(self._programs, name, name), "--json", "--device", device, "--repeat", str(repeat), *model,
                os.path.join(self._folder("pictures"), PICTURES[name])]

    @staticmethod
    def _report(command: list, environment: dict) -> dict:
        result = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                env={**os.environ, **environment})
        return json.loads(result.stdout)

    def on_host(self, name: str, device: str, repeat: int) -> dict:
        return self._report(self._command(name, device, repeat), {"ATOM_DEVICE": "model"})

    def in_machine(self, name: str, device: str, repeat: int) -> dict:
        return self._report([*self._machine, "--timeout", "1800", "--silence", "900", "--", *self._command(name, device, repeat)], {})


def figures(samples: Samples) -> dict:
    """name: (value, reference)"""
    values = {}
    for program, figure in NAMES.items():
        # In turn: what else uses the processors meets both.
        rounds = [[samples.on_host(program, device, REPEATS[program]) for device in ("npu", "cpu")] for _ in range(ROUNDS)]
        npu = rounds[-1][0]
        values[figure] = (statistics.median(on_npu["device_ms"] for on_npu, _ in rounds),
                          statistics.median(on_cpu["networks_ms"] for _, on_cpu in rounds))
        values[f"offload.{program}.operators"] = (npu["operators_on_npu"], npu["operators"])
        values[f"offload.{program}.flops"] = (npu["multiplications_on_npu"], npu["multiplications"])
        print(f"  {program}: {npu['networks_ms']:.1f} ms in networks, {npu['modelled_ms']:.3f} ms modelled", flush=True)
        npu, cpu = samples.in_machine(program, "npu", repeat=10), samples.in_machine(program, "cpu", repeat=1)
        values[f"{figure}.machine"] = (npu["images_per_second"], cpu["images_per_second"])
    return values
