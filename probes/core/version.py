"""The version of Clipspect, in one place."""

VERSION = "0.1.0"
