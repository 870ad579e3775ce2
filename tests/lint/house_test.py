"""Proves that each rule of house.py can fail, and that a tree which keeps them all passes."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HOUSE = Path(__file__).with_name("house.py")

GOOD = {
    "core/base/lsn.hpp": "#pragma once\n#include <compare>\n",
    "core/postgres/connection.cpp": '#include <libpq-fe.h>\n#include "base/lsn.hpp"\n',
    "core/sinks/plugin.hpp": "#pragma once\n#include <pgat/sink.h>\n",
    "core/delivery/batch.hpp": '#pragma once\n#include "delivery/order.hpp"\n#include "sinks/plugin.hpp"\n',
    "plugin-api/include/pgat/sink.h": "#ifndef PGAT_SINK_H\n#define PGAT_SINK_H\n#endif\n",
    "plugins/memory/memory.cpp": '#include <pgat/sink.hpp>\n#include "ring.hpp"\n',
    "tests/fuzz/corpus/frames/1": "",
    "tests/fuzz/corpus/frames/2": "",
    "tests/fuzz/corpus/frames/3": "",
    "tests/fuzz/corpus/frames/4": "",
}


class House(unittest.TestCase):
    def check(self, extra):
        """Runs house.py over the good tree and `extra`; gives its exit status and its lines."""
        with tempfile.TemporaryDirectory(prefix="pgat-lint-") as folder:
            for path, text in {**GOOD, **extra}.items():
                file = Path(folder) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            run = subprocess.run(
                [sys.executable, "-B", HOUSE, folder], capture_output=True, text=True, check=False
            )
            return run.returncode, run.stdout.splitlines()

    def refuses(self, extra, start):
        status, lines = self.check(extra)
        self.assertEqual(status, 1)
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(start), lines[0])

    def test_a_tree_that_keeps_the_rules_passes(self):
        self.assertEqual(self.check({}), (0, []))

    def test_an_include_that_points_down_the_list_of_rooms(self):
        path = "core/outbox/cursor.cpp"
        self.refuses({path: '\n#include "delivery/batch.hpp"\n'}, path + ":2: core/outbox includes")

    def test_the_same_in_angle_brackets(self):
        path = "core/base/error.cpp"
        self.refuses({path: "#  include <config/config.hpp>\n"}, path + ":1: core/base includes")

    def test_libpq_outside_its_room(self):
        path = "core/delivery/loop.cpp"
        self.refuses({path: "#include <libpq-fe.h>\n"}, path + ":1: includes <libpq-fe.h>")

    def test_yaml_where_it_is_not_read(self):
        path = "core/delivery/loop.cpp"
        self.refuses({path: "#include <yaml-cpp/yaml.h>\n"}, path + ":1: includes <yaml-cpp")

    def test_the_plugin_abi_outside_its_room(self):
        path = "core/daemon/pipeline.cpp"
        self.refuses({path: "#include <pgat/sink.h>\n"}, path + ":1: includes <pgat/sink.h>")

    def test_core_inside_a_plugin(self):
        path = "plugins/http/http.cpp"
        self.refuses({path: '#include "base/error.hpp"\n'}, path + ":1: plugins includes")

    def test_core_inside_the_plugin_api(self):
        path = "plugin-api/include/pgat/sink.hpp"
        text = '#pragma once\n#include "core/base/error.hpp"\n'
        self.refuses({path: text}, path + ":2: plugin-api includes")

    def test_an_include_that_climbs(self):
        path = "plugins/http/http.cpp"
        self.refuses({path: '#include "../memory/ring.hpp"\n'}, path + ":1: includes")

    def test_an_include_without_its_room(self):
        path = "core/base/lsn.cpp"
        self.refuses({path: '#include "lsn.hpp"\n'}, path + ':1: includes "lsn.hpp": write "base/')

    def test_a_header_without_pragma_once(self):
        path = "core/base/clock.hpp"
        self.refuses({path: "#include <chrono>\n"}, path + ":1: no #pragma once")

    def test_an_include_guard_in_core(self):
        path = "core/base/clock.h"
        self.refuses({path: "#ifndef CLOCK_H\n#define CLOCK_H\n#endif\n"}, path + ":1: no #pragma")

    def test_a_room_that_is_not_on_the_list(self):
        path = "core/magic/spell.cpp"
        self.refuses({path: ""}, "core/magic:1: not a room")

    def test_four_files_and_no_readme(self):
        files = {f"core/config/{name}.cpp": "" for name in ("one", "two", "three", "four")}
        self.refuses(files, "core/config:1: 4 files and no README.md")

    def test_a_drawer(self):
        path = "core/base/utils.cpp"
        self.refuses({path: ""}, path + ":1: a drawer")

    def test_a_tree_without_core_is_no_success(self):
        with tempfile.TemporaryDirectory(prefix="pgat-lint-") as folder:
            run = subprocess.run(
                [sys.executable, "-B", HOUSE, folder], capture_output=True, check=False
            )
            self.assertEqual(run.returncode, 2)


if __name__ == "__main__":
    unittest.main()
