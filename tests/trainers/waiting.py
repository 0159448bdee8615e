"""A command that says its number, waits, and exits with 7."""

import os
import sys
import time

print(os.getpid(), flush=True)
time.sleep(float(sys.argv[1]))
print("waited")
sys.exit(7)
