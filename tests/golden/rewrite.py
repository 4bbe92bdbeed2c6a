"""Put on file the events that the rules make of the recordings now. Read the diff.

Run by ``make golden``.
"""

import sys
from pathlib import Path


def main() -> None:
    """Record what is missing and rewrite every events file."""
    # Run as a script, its folder is on the path and the repository is not.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.golden.films import FOLDER, SCENES, record, write_events

    for name in SCENES:
        if not (FOLDER / f"{name}.tracks.json").exists():
            record(name)
        write_events(name)


if __name__ == "__main__":
    main()
