"""Video Detective (影片偵探): surveillance video in, explained and evidenced events out."""

__version__ = "0.1.0"
