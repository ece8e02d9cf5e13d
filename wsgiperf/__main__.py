"""`python -m wsgiperf`."""

from wsgiperf.cli import main

if __name__ == "__main__":
    main()
