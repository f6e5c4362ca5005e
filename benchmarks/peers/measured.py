"""What a command takes, as JSON: `measured.py PROGRAM [ARGUMENT]...`. Its standard output is passed over; it fails where the command fails.

All that stand beside each other in `bench peers` are measured by this, and so in one way: the whole process, from its start to the moment when its
memory is given back, with the processes that it has started and waited for.
"""

import json
import os
import subprocess
import sys
import time

began = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
seconds = time.monotonic() - began
# Linux counts memory in KiB.
figures = {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_memory_bytes": used.ru_maxrss * 1024}
if status:
    sys.exit(f"{sys.argv[1]} ended with {os.waitstatus_to_exitcode(status)}")
print(json.dumps(figures))
