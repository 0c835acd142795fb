#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""classify and ocr as their user sees them, on the trained networks: results, errors, exit statuses."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

OCR = sys.argv.pop()
CLASSIFY = sys.argv.pop()
MODELS = pathlib.Path(__file__).resolve().parents[2] / "packaging/host/models"
PHOTOGRAPHS = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png", "horse.png",
               "hubble_deep_field.jpg", "motorcycle_left.png", "retina.jpg", "rocket.jpg")
PAGES = ("bw_text.png", "page.png", "text.png", "chelsea.png")


def folder(name):
    return pathlib.Path(subprocess.run([MODELS, name], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def setUpModule():
    global CLASSIFIER, READER, PICTURES
    CLASSIFIER = folder("classify") / "efficientnet-lite0.onnx"
    READER = folder("ocr")
    PICTURES = folder("pictures")


def run(*command, **environment):
    p = subprocess.run([str(word) for word in command], capture_output=True, timeout=600, text=True,
                       env={"ATOM_DEVICE": "model", **os.environ, **environment})
    return p.returncode, p.stdout, p.stderr


def classified(*options):
    status, out, err = run(CLASSIFY, "--json", "--model", CLASSIFIER, *options, *(PICTURES / p for p in PHOTOGRAPHS))
    if status:
        raise AssertionError(f"classify {options}: {status}: {err}")
    return json.loads(out)


def five(report):
    return [[guess["name"] for guess in picture["classes"]] for picture in report["pictures"]]


def texts(report):
    return [[line["text"] for line in picture["lines"]] for picture in report["pictures"]]


def was_read(*options):
    status, out, err = run(OCR, "--json", "--models", READER, *options, *(PICTURES / p for p in PAGES))
    if status:
        raise AssertionError(f"ocr {options}: {status}: {err}")
    return json.loads(out)


class Classify(unittest.TestCase):
    def test_names_what_photographs_show(self):
        result = classified("--device", "cpu")
        best = {pathlib.Path(p["file"]).name: p["classes"][0]["name"] for p in result["pictures"]}
        self.assertIn(best["chelsea.png"], ("tabby", "tiger cat", "Egyptian cat"))
        self.assertEqual(best["coffee.png"], "espresso")
        self.assertEqual(best["camera.png"], "tripod")
        self.assertEqual(best["rocket.jpg"], "missile")
        self.assertEqual([result["operators_on_npu"], result["images"]], [0, len(PHOTOGRAPHS)])

    def test_sees_the_same_on_the_npu_in_the_same_order(self):
        npu = classified()
        self.assertEqual(five(npu), five(classified("--device", "cpu")))
        self.assertEqual(npu["operators_on_npu"], npu["operators"])
        self.assertGreater(npu["modelled_ms"], 0)

    def test_prints_five_classes_by_falling_probability(self):
        status, out, _ = run(CLASSIFY, "--device", "cpu", "--model", CLASSIFIER, PICTURES / "coffee.png")
        self.assertEqual(status, 0)
        shares = [float(line.split("%")[0]) for line in out.splitlines()[1:6]]
        self.assertEqual(shares, sorted(shares, reverse=True))
        self.assertIn("on CPU: 0 of ", out.splitlines()[-1])


class Ocr(unittest.TestCase):
    def test_reads_printed_pages_line_by_line(self):
        result = was_read("--device", "cpu")
        text = {pathlib.Path(p["file"]).name: [line["text"] for line in p["lines"]] for p in result["pictures"]}
        self.assertEqual(text["bw_text.png"], [
            "Men may seem detestable as joint", "stock-companies and nations; knaves,", "fools, and murderers there may be;",
            "men may have mean and meagre", "faces; but, man, in the ideal, is so", "noble and so sparkling, such a grand",
            "and glowing creature, that over any", "ignominious blemish in him all his", "fellows should run to throw their",
            "costliest robes."])
        self.assertIn("Region-based segmentation", text["page.png"])
        self.assertEqual(text["chelsea.png"], [])
        for picture in result["pictures"]:
            for line in picture["lines"]:
                self.assertTrue(0.5 <= line["confidence"] <= 1, line)

    def test_reads_the_same_on_the_npu(self):
        npu = was_read()
        self.assertEqual(texts(npu), texts(was_read("--device", "cpu")))
        self.assertGreater(npu["operators_on_npu"], 0.95 * npu["operators"])

    def test_draws_the_boxes_into_a_picture_of_the_same_size(self):
        with tempfile.TemporaryDirectory() as work:
            drawn = pathlib.Path(work) / "boxes.png"
            status, _, err = run(OCR, "--device", "cpu", "--models", READER, "--output", drawn, PICTURES / "page.png")
            self.assertEqual(status, 0, err)
            header = drawn.read_bytes()[:24]
        self.assertEqual(header[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual([int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")], [384, 191])


class OnTheNpu(unittest.TestCase):
    """With the plug-in, all of each network runs there, and what comes out is what the CPU says."""

    def test_the_five_best_classes_of_every_photograph_are_those_of_the_cpu(self):
        got, expected = classified(), classified("--device", "cpu")
        self.assertGreater(got["operators"], 50)
        self.assertEqual(got["operators_on_npu"], got["operators"])
        self.assertGreater(got["modelled_ms"], 0)
        for ours, theirs in zip(got["pictures"], expected["pictures"], strict=True):
            self.assertEqual([c["name"] for c in ours["classes"]], [c["name"] for c in theirs["classes"]], ours["file"])

    def test_the_text_of_every_page_is_that_of_the_cpu(self):
        got, expected = was_read(), was_read("--device", "cpu")
        self.assertGreater(got["operators"], 500)
        self.assertEqual(got["operators_on_npu"], got["operators"])
        for ours, theirs in zip(got["pictures"], expected["pictures"], strict=True):
            self.assertEqual([line["text"] for line in ours["lines"]], [line["text"] for line in theirs["lines"]], ours["file"])
            for line, other in zip(ours["lines"], theirs["lines"]):
                self.assertAlmostEqual(line["confidence"], other["confidence"], delta=1e-3)


class Errors(unittest.TestCase):
    """Each says in one line on standard error what is wrong, and has its exit status."""

    def assert_fails(self, status, words, *command, **environment):
        found, out, err = run(*command, **environment)
        self.assertEqual(found, status, err)
        self.assertEqual(out, "")
        self.assertIn(words, err)

    def setUp(self):
        self.work = tempfile.TemporaryDirectory()
        self.addCleanup(self.work.cleanup)
        self.page = PICTURES / "page.png"

    def cut(self, file, size):
        short = pathlib.Path(self.work.name) / f"cut{pathlib.Path(file).suffix}"
        short.write_bytes(file.read_bytes()[:size])
        return short

    def test_a_missing_model_or_picture(self):
        self.assert_fails(5, "the model is not there", CLASSIFY, "--device", "cpu", "--model", "absent.onnx", self.page)
        self.assert_fails(5, "the model is not there", OCR, "--device", "cpu", "--models", self.work.name, self.page)
        self.assert_fails(5, "absent.png: No such file", CLASSIFY, "--device", "cpu", "--model", CLASSIFIER, "absent.png")

    def test_a_model_that_is_cut_short(self):
        self.assert_fails(5, "cut.onnx", CLASSIFY, "--device", "cpu", "--model", self.cut(CLASSIFIER, 1000000), self.page)
        self.assert_fails(5, "cut.onnx", CLASSIFY, "--device", "cpu", "--model", self.cut(CLASSIFIER, 0), self.page)

    def test_a_model_with_an_operator_that_nobody_has(self):
        strange = pathlib.Path(self.work.name) / "strange.onnx"
        strange.write_bytes(CLASSIFIER.read_bytes().replace(b"Conv", b"Cnov"))
        for device in ("npu", "cpu"):
            self.assert_fails(5, "Cnov", CLASSIFY, "--device", device, "--model", strange, self.page)

    def test_a_model_of_another_kind(self):
        self.assert_fails(5, "no square pictures", CLASSIFY, "--device", "cpu", "--model",
                          READER / "ch_PP-OCRv4_det_infer.onnx", self.page)

    def test_a_picture_that_is_damaged_or_none(self):
        for program, *model in ((CLASSIFY, "--model", CLASSIFIER), (OCR, "--models", READER)):
            self.assert_fails(5, "damaged", program, "--device", "cpu", *model, self.cut(self.page, 20000))
            self.assert_fails(5, "no picture", program, "--device", "cpu", *model, CLASSIFIER)

    def test_a_plug_in_that_is_missing_or_none(self):
        for plugin, words in (("absent.so", "is not there"), (str(CLASSIFIER), "efficientnet-lite0.onnx")):
            self.assert_fails(5, words, CLASSIFY, "--plugin", plugin, "--model", CLASSIFIER, self.page)

    def test_no_device(self):
        self.assert_fails(3, "no ATOM device", CLASSIFY, "--model", CLASSIFIER, self.page, ATOM_DEVICE="")

    def test_a_device_that_faults_in_the_middle(self):
        for kind in ("ecc-ue", "hung-detected", "mmu-fault:after=40000"):
            with self.subTest(kind):
                self.assert_fails(4, ".onnx: ", OCR, "--models", READER, self.page,
                                  ATOM_DEVICE=f"model,inject=kind={kind}{'' if ':' in kind else ':after=2'}")

    def test_networks_that_do_not_fit_into_the_memory_of_the_device(self):
        self.assert_fails(4, "memory", CLASSIFY, "--model", CLASSIFIER, self.page, ATOM_DEVICE="model,dram=8M")

    def test_a_wrong_call(self):
        self.assert_fails(2, "--model is required", CLASSIFY, self.page)
        self.assert_fails(2, "PICTURE is required", OCR, "--models", READER)
        self.assert_fails(2, "--device", OCR, "--device", "gpu", "--models", READER, self.page)
        self.assert_fails(2, "one picture", OCR, "--device", "cpu", "--models", READER, "--output", "x.png", self.page, self.page)


if __name__ == "__main__":
    unittest.main()
