"""Runs pyftpdlib's own functional tests against another FTP server.

A pytest plugin: the wrapper that would start pyftpdlib in a thread starts the program named by FTPD
instead. By hand, in the unpacked source distribution of pyftpdlib 2.2.0, with pytest, psutil and the
pyftpdlib of the same version installed:

    FTPD=.../ftpd PYTHONPATH=.../scripts:. python -m pytest -c /dev/null --rootdir=. \\
        -p pyftpdlib_adapter tests/test_functional.py \\
        -k "not Timeouts and not Throttle and not Callbacks and not ThreadedFTP and not Configurable"

The classes left out set attributes of the Python server. What differs on purpose: STRU R, MODE B and
patterns are served and not refused; TYPE L 7, ALLO with a word and CWD without an argument are refused;
OPTS is answered before the login; `size` is no fact of a directory; PORT and EPRT dial when a transfer
asks for it, not at once.
"""

import os
import re
import subprocess


class Handler:
    """Takes the settings that tests make, of which a program knows nothing."""

    def __init__(self):
        from pyftpdlib.handlers import FTPHandler

        self.proto_cmds = FTPHandler.proto_cmds
        self.dtp_handler = type("Settings", (), {})()
        self.passive_dtp = type("Settings", (), {})()
        self.active_dtp = type("Settings", (), {})()


class Wrapper:
    """The program, with the face of pyftpdlib's FtpdThreadWrapper."""

    def __init__(self, addr=None):
        import tests

        self.handler = Handler()
        self.server = type("Settings", (), {})()
        self.host = addr[0] if addr else tests.HOST

    def start(self):
        import tests

        user = f"{tests.USER}:{tests.PASSWD}"
        command = [os.environ["FTPD"], tests.HOME, "--port", "0", "--write", "--user", user]
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


def pytest_configure(config):
    import tests

    tests.FtpdThreadWrapper = Wrapper
    tests.assert_free_resources = lambda parent_pid=None: None
