"""Put on file the events that the rules make of the recordings now. Read the diff.

Run from the repository's root: ``python -m tests.golden.rewrite``.
"""

from tests.golden.films import FOLDER, SCENES, record, write_events


def main() -> None:
    """Record what is missing and rewrite every events file."""
    for name in SCENES:
        if not (FOLDER / f"{name}.tracks.json").exists():
            record(name)
        write_events(name)


if __name__ == "__main__":
    main()
