import subprocess
import sys

PROGRAM = """
import ctypes
from scanhub import privacy
privacy.hide()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE
"""


def test_a_hidden_process_is_not_dumpable() -> None:
    """Root sees it all the same, so what another user may read is not asked here."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "0\n"
