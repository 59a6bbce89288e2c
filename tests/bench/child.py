"""``python child.py LOG COMMAND…``: runs a command and prints its seconds, CPU seconds and peak memory as JSON.

A process of its own, and a small one: what the system counts as a child's peak begins with its parent's memory.
"""

import json
import os
import subprocess
import sys
import time

log, *command = sys.argv[1:]
with open(log, "wb") as output:  # noqa: PTH123  pathlib would only make this process larger
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
process.returncode = os.waitstatus_to_exitcode(status)
figures = {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024}
print(json.dumps({"exit_code": process.returncode, **figures}))
