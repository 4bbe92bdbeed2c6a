"""``python -m video_detective`` is the ``video-detective`` command."""

from video_detective.cli.app import main

if __name__ == "__main__":
    main()
