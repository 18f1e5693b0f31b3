"""Where the `dlr` command begins: its own modules take half a second to import, in which Ctrl-C is no fault."""

import sys


def main() -> None:
    """Run the command."""
    try:
        from cli.commands import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
