"""docs/analysis.md shows the settings that hold without a file."""

from pathlib import Path

from video_detective.config.settings import Settings, parse_settings

PAGE = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text("utf-8")


def test_the_page_shows_the_settings_that_hold_without_a_file() -> None:
    shown = PAGE.split("```yaml\n")[1].split("```")[0]

    assert parse_settings("schema_version: 1\n" + shown) == Settings()
