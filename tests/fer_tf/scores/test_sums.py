import subprocess
import sys


def test_needs_no_keras():
    code = "import sys, fer_tf.scores.bootstrap; sys.exit('keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
