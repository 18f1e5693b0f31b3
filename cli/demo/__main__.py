"""`python -m cli.demo`: what it imports takes a second or more, in which Ctrl-C stops it as cleanly as later."""

import sys


def main() -> int:
    """Run the demo; return the exit code."""
    try:
        from cli.demo.start import main as run

        return run()
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
