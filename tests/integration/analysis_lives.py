"""Runs commands, life after life: ``python analysis_lives.py STEP_LOOKS``.

Every line on standard input is a JSON array of words and begins a life: a forked process (so that
everything is loaded only once) runs the command and stores a step after every ``STEP_LOOKS`` looks.
Its id is printed, then, when it has ended, its wait status.
"""

import json
import math
import os
import sys
import traceback

from video_detective.cli import analysis as command
from video_detective.cli.app import main
from video_detective.pipeline import worker


def live(words: list[str]) -> None:
    """Run the command and end."""
    worker.STEP_LOOKS = int(sys.argv[1])
    worker.STEP_S = math.inf
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    code = 70
    try:
        main(words)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    os._exit(code)


if __name__ == "__main__":
    assert callable(command.analyze_command)  # loaded before the first life begins
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            live(json.loads(line))
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
