"""Runs pyftpdlib's own functional tests against another FTP server: a pytest plugin.

The wrapper that would start pyftpdlib in a thread starts the program named by FTPD instead. What a test
sets on the Python server before it starts becomes a line of configuration where there is such a line;
where there is none, the test is among those that scripts/pyftpdlib_differs.txt lists with a reason. A
test of that list is expected to fail and fails the run if it does not.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent



class Settings:
    """Takes the settings that tests make."""


class Handler(Settings):
    def __init__(self):
        from pyftpdlib.handlers import FTPHandler

        self.proto_cmds = FTPHandler.proto_cmds
        self.dtp_handler = Settings()
        self.passive_dtp = Settings()
        self.active_dtp = Settings()


def configuration(handler, server):
    """The settings as TOML."""
    lines = {}

    def put(section, key, value):
        lines.setdefault(section, []).append(f"{key} = {value}")

    def given(holder, name):
        return getattr(holder, name, None)

    if given(handler, "banner"):
        put("session", "greeting", f'"{handler.banner}"')
    if given(handler, "max_login_attempts"):
        put("session", "attempts", handler.max_login_attempts)
    if given(handler, "timeout"):
        put("session", "idle", f'"{int(handler.timeout * 1000)}ms"')
    if given(handler.dtp_handler, "timeout"):
        put("data", "idle", f'"{int(handler.dtp_handler.timeout * 1000)}ms"')
    if given(handler, "masquerade_address_map"):
        for local, shown in handler.masquerade_address_map.items():
            put("data", "advertise_to", f'{{ "{local}/32" = "{shown}" }}')
    if given(handler, "permit_foreign_addresses"):
        put("data", "foreign", "true")
    if given(server, "max_cons_per_ip"):
        put("limits", "connections_per_address", server.max_cons_per_ip)
    needs = [given(handler, "tls_control_required"), given(handler, "tls_data_required")]
    if any(needs):
        words = {(True, True): "both", (True, False): "control"}
        put("tls", "self_signed", "true")
        put("tls", "required", f'"{words.get(tuple(map(bool, needs)), "data")}"')
    return "".join(f"[{section}]\n" + "\n".join(rows) + "\n" for section, rows in lines.items())


class Wrapper:
    """The program, with the face of pyftpdlib's FtpdThreadWrapper."""

    handler = None

    def __init__(self, addr=None):
        import tests

        self.is_tls = "TLS" in getattr(self.handler, "__name__", "")
        self.handler = Handler()
        self.server = Settings()
        self.host = addr[0] if addr else tests.HOST

    def start(self):
        import tests

        command = [os.environ["FTPD"], tests.HOME, "--port", "0", "--write"]
        command += ["--user", f"{tests.USER}:{tests.PASSWD}"]
        text = configuration(self.handler, self.server)
        if self.is_tls and "[tls]" not in text:
            command.append("--tls")
        if text:
            # Not in the directory that is served.
            self.file = tempfile.NamedTemporaryFile("w", suffix=".toml")
            self.file.write(text)
            self.file.flush()
            command += ["--config", self.file.name]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for line in self.process.stdout:
            found = re.search(r"on port (\d+)", line)
            if found:
                self.port = int(found.group(1))
                return
        raise RuntimeError("the server did not start")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def differing():
    """The tests that are known to differ, each with its reason; a name may end in `*`."""
    known = {}
    for line in (HERE / "pyftpdlib_differs.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(" ")
            known[name] = reason.strip()
    return known


def pytest_configure(config):
    sys.path.insert(0, os.getcwd())
    import tests

    # Two seconds are little on a machine that does other things as well.
    tests.GLOBAL_TIMEOUT = 6
    tests.FtpdThreadWrapper = Wrapper
    tests.assert_free_resources = lambda parent_pid=None: None


def pytest_collection_modifyitems(config, items):
    # A class that is imported to be derived from would run again.
    items[:] = [item for item in items if item.cls.__module__ == item.module.__name__]
    known = differing()
    used = set()
    for item in items:
        # `tests/test_functional.py::TestFtpAbort::test_abor_port` is TestFtpAbort.test_abor_port here; the
        # classes that repeat another one under TLS go by that one's name as well.
        family, test = item.cls.__name__, item.originalname
        names = [f"{family}.{test}", f"{family}.*"]
        if family.endswith("TLSMixin"):
            plain = family.replace("TestTFtp", "TestFtp").removesuffix("TLSMixin")
            names += [f"{plain}.{test}", f"{plain}.*"]
        found = next((name for name in names if name in known), None)
        if found:
            used.add(found)
            reason = known[found]
            if reason.startswith("out:"):
                item.add_marker(pytest.mark.skip(reason=reason))
            else:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
    unused = set(known) - used
    if unused and not config.getoption("keyword"):
        raise pytest.UsageError(f"no such tests: {sorted(unused)}")
