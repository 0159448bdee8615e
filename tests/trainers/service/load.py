"""How many requests the service holds, and how many it sends away; run by hand.

python -m tests.trainers.service.load FOLDER_OF_A_CHAIN PHOTO [SECONDS]

For each number of clients that ask without a pause: pictures read a second, the time
that an answer takes (median and 95th percentile), the time that a refusal takes, and
the service's resident memory. A client that was sent away asks again after a second,
as the refusal says.
"""

import http.client
import subprocess
import sys
import threading
import time
import urllib.parse

import numpy as np

CLIENTS = (1, 4, 9, 32)


def ask(address, photo, end, found):
    """Asks until a time, and notes each answer's status and seconds."""
    while time.monotonic() < end:
        start = time.monotonic()
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request("POST", "/faces", photo)
        answer = connection.getresponse()
        answer.read()
        found.append((answer.status, time.monotonic() - start))
        if again := answer.getheader("retry-after"):
            time.sleep(float(again))


def memory(process):
    with open(f"/proc/{process.pid}/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["VmRSS"].split()[0]) / 1024


def main():
    folder, path, *rest = sys.argv[1:]
    seconds = float(rest[0]) if rest else 10.0
    with open(path, "rb") as file:
        photo = file.read()
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "trainers.serve", f"--chain={folder}", "--port=0"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = process.stdout.readline().split()[1].rstrip(",")
        address = urllib.parse.urlsplit(address).netloc
        ask(address, photo, time.monotonic() + 0.001, [])
        print(f"first answer {time.monotonic() - start:.2f} s after the start")
        for count in CLIENTS:
            found, end = [], time.monotonic() + seconds
            clients = [
                threading.Thread(target=ask, args=(address, photo, end, found))
                for _ in range(count)
            ]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            read, away = ([s for c, s in found if c == code] for code in (200, 503))
            middle, late = np.percentile(read, (50, 95))
            refusal = f"{np.median(away):.3f} s" if away else "none"
            print(
                f"{count} clients: {len(read) / seconds:.1f} read a second in "
                f"{middle:.2f} s (95 %: {late:.2f} s); {len(away)} of {len(found)} "
                f"sent away in {refusal}; {memory(process):.0f} MiB"
            )
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
