"""Write docs/openapi.json anew from the application: ``make openapi``."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "docs" / "openapi.json"


def current() -> str:
    """The document as the file has it."""
    # Run as a script, its folder is on the path and the repository is not.
    sys.path.insert(0, str(ROOT))
    from tests.routes import document

    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    COPY.write_text(current(), "utf-8")
    print(f"wrote {COPY.relative_to(ROOT)}")
